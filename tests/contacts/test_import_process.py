"""A file read by two processes: each row once, and what was odd about it told once."""

from pregon.contacts import import_process
from pregon.contacts.import_rows import How
from pregon.lib.spreadsheets.table import BLOCK

HOW = How({"name": 0, "mobile": 1, "fields": {}}, "MX", "k" * 50, {})
ROWS = 3 * BLOCK


def test_every_row_and_remark_of_both(tmp_path):
    lines = ["nombre,nombre", *(f"Ana {n},222555{n:05d}" for n in range(ROWS))]
    lines[100] += ",de más"
    lines[100 + BLOCK] += ",de más"
    lines[7:7] = [""] * (2 * BLOCK)  # blank lines count as lines
    file = tmp_path / "clientes.csv"
    file.write_text("\n".join(lines))
    *frames, last = import_process.frames(str(file), file.name, HOW)
    read = [int(line.split("\t", 1)[0]) for frame in frames for line in frame.lines.decode().split("\n")[:-1]]
    assert sorted(read) == [n for n, line in enumerate(lines, 1) if line and n > 1]
    assert sum(frame.rows for frame in frames) == ROWS
    assert (last.rows, [line for line, _text in last.notices]) == (
        0,
        [0, 101 + 2 * BLOCK, 101 + 3 * BLOCK],
    )
