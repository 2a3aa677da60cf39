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


def test_a_cell_of_several_lines_where_the_readers_take_turns(tmp_path):
    """A block without quotes is passed over unread by the other; a row that begins in one block may end in the next."""
    lines = ["nombre,celular", *(f"Ana {n},222555{n:05d}" for n in range(2 * BLOCK))]
    lines[BLOCK - 2 : BLOCK + 1] = ['"Eva', "", 'Ruiz",22255500001']  # lines 4,999 to 5,001 of the file
    file = tmp_path / "clientes.csv"
    file.write_text("\n".join(lines))
    frames = import_process.frames(str(file), file.name, HOW._replace(mapping={"name": 0, "mobile": 1}))
    rows = [line.split("\t")[:2] for frame in frames for line in frame.lines.decode().split("\n")[:-1]]
    read = {int(line): name for line, name in rows}
    assert len(rows) == len(read)
    assert read == {n: line.split(",")[0] for n, line in enumerate(lines, 1) if line.startswith("Ana")} | {
        BLOCK - 1: "Eva Ruiz"
    }
