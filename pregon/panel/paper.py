"""Sheets of paper with the business above and a seal below, as PDF.

A module of its own, imported when somebody asks for a PDF: fpdf brings Pillow and fontTools, which are half of a panel's memory.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from pregon.accounts.models import Account

INK, SOFT, LINE = (33, 30, 26), (105, 98, 90), (216, 210, 202)
ENCODING = "cp1252"  # of the fonts that every reader of PDFs brings along
ALL = "\1pages\1"  # becomes how many there are; nobody's name has it, as `printable` takes such signs away


class Paper(FPDF):
    """A4 sheets with the business above and the seal below."""

    def __init__(self, account: Account, title: str, seal: str) -> None:
        super().__init__(format="A4")
        self.business, self.subject_of, self.seal = printable(account.name), printable(title), seal
        self.core_fonts_encoding = ENCODING
        self.set_margins(20, 26, 20)
        self.set_auto_page_break(auto=True, margin=26)
        self.set_title(self.subject_of)
        self.set_author(self.business)
        self.set_creator("Pregón")
        self.alias_nb_pages(ALL)
        self.add_page()
        self._words(20, INK, "B")
        self._lines(9, title)
        self.ln(1)

    def header(self) -> None:
        self.set_y(12)
        self._words(9, SOFT)
        self.cell(0, 5, f"{self.business}  ·  {self.subject_of}")
        self.set_draw_color(*LINE)
        self.line(20, 19, 190, 19)
        self.set_y(26)

    def footer(self) -> None:
        self.set_y(-18)
        self._words(7.5, SOFT)
        self.cell(0, 4, printable(_("Huella SHA-256 de estos datos en CSV:") + " " + self.seal))
        self.ln(4)
        pages = printable(_("Página %(page)s de %(pages)s"))
        self.cell(0, 4, pages % {"page": self.page_no(), "pages": ALL})

    def heading(self, words: str) -> None:
        self.ln(6)
        self._keep(24)
        self._words(13, INK, "B")
        self._lines(7, words)
        self.ln(1)

    def lead(self, words: str) -> None:
        self._words(10, SOFT)
        self._lines(5, words)

    def fact(self, name: str, value: str, size: float = 10) -> None:
        label = " ".join(printable(name).split())
        self._keep(size * 0.6)
        self._words(size, SOFT)
        self.cell(48, size * 0.55, label)
        if self.get_string_width(label) > 46:
            self.ln()
            self.set_x(self.l_margin + 48)
        self._words(size, INK)
        self._lines(size * 0.55, value)

    def entry(self, words: str, at: str, *lines: str) -> None:
        """Something that happened, and when."""
        self.ln(3)
        self._keep(16)
        self._words(10.5, INK, "B")
        self._lines(5.5, words)
        self._words(9, SOFT)
        self._lines(5, at)
        self._words(9, INK)
        for line in filter(None, lines):
            self._lines(5, line)

    def _words(self, size: float, color: tuple[int, int, int], style: str = "") -> None:
        self.set_font("Helvetica", style, size)
        self.set_text_color(*color)

    def _lines(self, height: float, words: str) -> None:
        """Lines of their own: `multi_cell` takes ten times as long for a paragraph."""
        left = self.get_x()
        for line in self._wrapped(printable(words), self.epw + self.l_margin - left):
            self.set_x(left)
            self.cell(0, height, line, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _wrapped(self, words: str, room: float) -> Iterator[str]:
        """Broken between words, and anywhere within one that alone is too long."""
        for line in words.split("\n"):
            begun = ""
            for word in re.findall(r"\S{1,40} *| +", line):
                if begun and self.get_string_width(begun + word.rstrip()) > room:
                    yield begun
                    begun = ""
                begun += word
            yield begun

    def _keep(self, room: float) -> None:
        """What belongs together is not torn apart by the end of a page."""
        if self.will_page_break(room):
            self.add_page()


def printable(words: str) -> str:
    """The text in what the fonts have: other letters lose their accents or become question marks, emoji become dots."""
    return "".join(map(_sign, unicodedata.normalize("NFC", words)))


@lru_cache(maxsize=4096)
def _sign(sign: str) -> str:
    if unicodedata.category(sign) in {"Cc", "Cf", "Mn"}:
        return "\n" if sign == "\n" else ""
    for tried in (sign, unicodedata.normalize("NFKD", sign)[0]):
        if tried.encode(ENCODING, "ignore"):
            return tried
    return {"Zs": " ", "So": "•"}.get(unicodedata.category(sign), "?")
