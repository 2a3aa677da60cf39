"""Text in any common encoding, line by line."""

import codecs
import functools
import io
from collections.abc import Iterator
from typing import BinaryIO

_SAMPLE = 64 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NULS: dict[
    tuple[int, ...], str
] = {  # western text, four bytes at a time: nearly always a NUL (1), or next to never (0)
    (0, 1, 0, 1): "utf-16-le",
    (1, 0, 1, 0): "utf-16-be",
    (0, 1, 1, 1): "utf-32-le",
}


_WESTERN = "pregon.western"


def lines(file: BinaryIO, longest: int) -> Iterator[str]:
    """Lines with their ends, longer ones in pieces of `longest` letters; the file itself is left open.

    What is no UTF-8 is taken for Windows' western letters, byte by byte: some files are both.
    """
    file.seek(0)
    encoding = _encoding(file.read(_SAMPLE))
    file.seek(0)
    errors = _WESTERN if encoding.startswith("utf-8") else "replace"
    wrapper = io.TextIOWrapper(file, encoding, errors=errors, newline="")
    try:
        yield from iter(functools.partial(wrapper.readline, longest), "")
    finally:
        if not file.closed:
            wrapper.detach()


def _encoding(head: bytes) -> str:
    """By its mark, or by its NULs."""
    marked = (name for mark, name in _MARKS if head.startswith(mark))
    return next(marked, None) or _NULS.get(_nuls(head), "utf-8")


def _nuls(head: bytes) -> tuple[int, ...]:
    shares = (head[place::4].count(0) / (len(head) // 4 or 1) for place in range(4))
    return tuple(1 if share > 0.6 else 0 if share < 0.1 else -1 for share in shares)


def _western(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    wrong = error.object[error.start : error.end]
    try:
        return wrong.decode("cp1252"), error.end
    except UnicodeDecodeError:  # five bytes mean nothing there
        return wrong.decode("latin-1"), error.end


codecs.register_error(_WESTERN, _western)
