"""Names of labels, as people write them into one cell."""

import re

from pregon.lib import text

LONGEST = 60


def split(cell: str) -> list[str]:
    """«Centro, VIP; centro» → ["Centro", "VIP"]: separated by comma, semicolon or bar, each once whatever its case."""
    found: dict[str, str] = {}
    for part in re.split(r"[,;|\n]", cell):
        if name := " ".join(part.split())[:LONGEST]:
            found.setdefault(text.fold(name), name)
    return list(found.values())
