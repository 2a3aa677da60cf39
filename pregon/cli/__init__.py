"""The command line, `pregon`: a supervisor that runs everything, and the main job without a browser."""

from __future__ import annotations

import sys

from django.core.exceptions import ImproperlyConfigured

from pregon.cli import commands
from pregon.embedded.errors import EmbeddedError

UNUSABLE = 2  # exit code: nothing was done; the sentence says what to change


def main() -> None:
    """Run the command that was typed. What a person can mend is one sentence and exit code 2, never a traceback."""
    try:
        commands.pregon(prog_name="pregon")
    except (EmbeddedError, ImproperlyConfigured) as error:
        print(f"pregon: {error}", file=sys.stderr)
        sys.exit(UNUSABLE)
