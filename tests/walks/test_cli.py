"""The main job without a browser: `pregon import`, `pregon send`, `pregon results`, beside a running copy."""

import re
from pathlib import Path

import pytest

from tests.walks import person
from tests.walks.people import Sheet
from tests.walks.running import Running

pytestmark = pytest.mark.timeout(900)
PROMOTION = "Charolas para tu posada"
SHEET = Sheet("Clientes de mayo", "847")


def test_import_send_results(running: Running, tmp_path: Path) -> None:
    file = tmp_path / "clientes.csv"
    file.write_bytes(SHEET.csv())
    arguments = ("import", str(file), "--account", running.user, "--permission", "store")
    assert "12 + 2 = 14" in running.pregon(*arguments, "--dry-run")
    assert "12 + 2 = 14" in running.pregon(*arguments)
    said = running.pregon("send", PROMOTION, "--tag", SHEET.tag, "--yes")
    assert "10  lo reciben" in said
    found = re.search(r"Envío (\d+) en camino", said)
    assert found, said
    told = person.ended(running, int(found[1]))
    assert told["people"] == 12
    assert told["omitted"] == {"sin_permiso": 2}
    assert "Personas" in running.pregon("results", found[1])


def test_what_cannot_be_done_is_said_in_a_sentence(running: Running, tmp_path: Path) -> None:
    picture = tmp_path / "contactos.xlsx"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    said = running.pregon("import", str(picture), "--account", running.user, fails=True)
    assert "CSV" in said
    assert "Esa etiqueta no existe" in running.pregon("send", PROMOTION, "--tag", "Nadie", "--yes", fails=True)
    assert "no existe" in running.pregon("results", "999999", fails=True)
