"""The customers of a walk: a sheet as a shop has it, with numbers that behave in a way of their own."""

import csv
import io
from dataclasses import dataclass

import openpyxl

HEADERS = ("Nombre", "Celular", "Acepta promociones", "Etiquetas")
Row = tuple[str, str, str]  # name, mobile, what the permission column says
ENDINGS = {  # the simulator's personas
    "0000": "Ana Pronto",  # reads at once
    "0005": "Benito Sordo",  # receives, never reads
    "0001": "Carla Sinapp",  # 131026
    "0002": "Darío Harto",  # 131049
    "0013": "Elsa Rota",  # refused at once
    "0008": "Fermín Corte",  # accepted, and the connection ends without an answer
    "0009": "Gilda Puerta",  # 502: nobody knows
    "0014": "Hugo Ruido",  # its webhooks come twice and in disorder
    "0305": "Irma Común",
    "0012": "Juan Oculto",  # WhatsApp never shows its number: what it answers names Meta's id of it
}


@dataclass(frozen=True)
class Sheet:
    """People of one walk alone: `tag` is theirs, `block` the middle of their numbers (three digits)."""

    tag: str
    block: str

    def mobile(self, ending: str) -> str:
        """As people write it."""
        return f"222 {self.block} {ending}"

    def shown(self, ending: str) -> str:
        """As the panel and the virtual phones show it."""
        return f"+52 222 {self.block} {ending}"

    def wa_id(self, ending: str) -> str:
        """As WhatsApp names a Mexican phone."""
        return f"521222{self.block}{ending}"

    @property
    def rows(self) -> list[Row]:
        """Ten who said yes, and one of every kind that a review finds: 14 rows, 12 of them people."""
        good = [(name, self.mobile(ending), "sí") for ending, name in ENDINGS.items()]
        return [
            *good,
            ("Karla Callada", self.mobile("0320"), ""),  # never asked
            ("Luis Trunco", f"222 {self.block}", "sí"),  # incomplete, and kept to be corrected
            ("ANA PRONTO", "044" + self.mobile("0000").replace(" ", ""), "sí"),  # the first again
            ("", f"222 {self.block}", "sí"),  # neither a name nor a number
        ]

    def csv(self) -> bytes:
        """Semicolons and UTF-8 with its mark, as Excel in Mexico saves it."""
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=";").writerows([HEADERS, *((*row, self.tag) for row in self.rows)])
        return text.getvalue().encode("utf-8-sig")

    def workbook(self) -> bytes:
        """One whom the CSV did not have, and one whom it had."""
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.append(HEADERS)
        sheet.append(("Mario Nuevo", self.mobile("0330"), "sí", self.tag))
        sheet.append(("Ana Pronto", self.mobile("0000"), "sí", self.tag))
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()
