"""Django's own commands, on the database of this home."""

from __future__ import annotations

import click
from django.core.management import execute_from_command_line


@click.command(add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(arguments: tuple[str, ...]) -> None:
    """`pregon manage migrate` is what `manage.py migrate` is elsewhere."""
    execute_from_command_line(["pregon manage", *arguments])
