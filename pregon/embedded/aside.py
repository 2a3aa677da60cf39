"""A folder of this home's own, outside of it, that everyone may enter: for what root cannot keep at home."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

SYSTEM = Path("/var/lib/pregon")


def make(home: Path) -> Path:
    """``/var/lib/pregon/<hash of home>``, made if need be."""
    folder = SYSTEM / digest(home)
    for level in (SYSTEM, folder):
        level.mkdir(parents=True, exist_ok=True)
        level.chmod(0o755)
    return folder


def digest(path: Path) -> str:
    """16 hexadecimal figures that stand for a path."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
