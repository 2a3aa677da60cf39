"""What must be done once before the processes start: tables, and the files that browsers ask for.

A program of its own (`python -m pregon.cli.prepare`), so that the supervisor never loads Django.
"""

from __future__ import annotations

import json
import sys
from gettext import gettext as _

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import OperationalError


def main() -> None:
    """Bring the database and the collected files up to date."""
    django.setup()
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as error:
        sys.exit(_("No se puede usar la base de datos: %(why)s") % {"why": error})
    if static_files_changed():
        call_command("collectstatic", interactive=False, verbosity=0)


def static_files_changed() -> bool:
    """Whether a static file is new, or newer than the last collection (which takes seconds: it compresses)."""
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    if not manifest.exists():
        return True
    collected, since = json.loads(manifest.read_text())["paths"], manifest.stat().st_mtime
    return any(name not in collected or changed > since for name, changed in _static_files())


def _static_files() -> list[tuple[str, float]]:
    hidden = [".*", "*~", "CVS"]  # what collectstatic leaves out
    found = [(name, storage) for finder in get_finders() for name, storage in finder.list(hidden)]
    return [(name, storage.get_modified_time(name).timestamp()) for name, storage in found]


if __name__ == "__main__":
    main()
