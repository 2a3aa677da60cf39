"""How fast a file of contacts becomes contacts, with validation, duplicates, tags and consent."""

import time
from io import BytesIO

from bench.figures import Figure, at_least
from pregon.contacts import imports
from pregon.contacts.models import Contact
from tests import make

ROWS = 50_000


def measure() -> list[Figure]:
    member = make.member(make.account())
    started = time.perf_counter()
    import_ = imports.start(member.account, BytesIO(_file()), "clientes.csv", member.user)
    import_.statement = "store"
    found = imports.commit(import_, member.user)
    seconds = time.perf_counter() - started
    assert found.saved + found.left_out == ROWS, found
    assert Contact.objects.filter(account=member.account).count() >= ROWS * 0.9
    return [at_least("import.rows_per_s", ROWS / seconds, "rows/s", 30_000)]


def _file() -> bytes:
    """Five columns; one number in twenty is incomplete, one row in fifty repeats another's."""
    lines = ["nombre,celular,correo,permiso,etiquetas"]
    for n in range(ROWS):
        mobile = f"55 {n % 49_000 + 10_000_000:08d}" if n % 20 else f"55 {n:05d}"
        lines.append(f"María Fernanda {n},{mobile},persona{n}@example.com,{'sí' if n % 4 else 'no'},Centro")
    return "\n".join(lines).encode()
