"""What the peers' programs share: where everything is, and the message that Pregón sends as well (`bench.send.PAYLOAD`)."""

import os
from typing import Any

from pywa.types.templates import BodyText, TemplateLanguage

STUB = os.environ.get("PEERS_STUB", "")  # of Meta; Redis and the database likewise
REDIS = os.environ.get("PEERS_REDIS", "")
DATABASE = os.environ.get("PEERS_DATABASE", "")
NUMBER, TOKEN = "106540352242922", "un-token-de-prueba"


def message(n: int) -> dict[str, Any]:
    """The arguments of pywa's `send_template` for person `n`; the stub counts by `tracker`."""
    return {
        "to": f"52155{n:08d}",
        "name": "promo",
        "language": TemplateLanguage.SPANISH_MEX,
        "params": [BodyText.params(f"María Fernanda {n}", "Charolas para tu posada: 15 % menos")],
        "tracker": f"person:{n}",
    }
