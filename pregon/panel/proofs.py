"""Records and proofs on paper: PDFs that anybody opens and prints.

Each page names the business and carries the SHA-256 of the CSV with the same rows: whoever has both sees that neither was changed.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.accounts.models import Account
from pregon.contacts import proof
from pregon.panel import records, wording

if TYPE_CHECKING:
    from pregon.panel.paper import Paper

MOST = 500  # acts of everybody on paper; beyond them stands a sentence


def of_record(record: records.Record) -> bytes:
    """The record of one person."""
    account = record.person.account
    title = _("Expediente de %(name)s") % {"name": record.person}
    paper = _paper(account, title, seal(records.csv(record)))
    paper.lead(_("Todo lo que %(business)s guarda de esta persona, el %(day)s.") % _where(account))
    paper.heading(_("Datos"))
    for name, value in record.facts:
        paper.fact(name, value)
    paper.heading(_("Permiso"))
    _acts(paper, record.acts)
    paper.heading(_("Mensajes que se le enviaron"))
    for sent in record.sent:
        paper.entry(sent.promotion or _("Mensaje suelto"), records.stamp(sent.at), sent.text, records.outcome(sent))
    if not record.sent:
        paper.lead(_("Ninguno."))
    paper.heading(_("Lo que escribió"))
    for reply in record.replies:
        paper.entry(reply.text or _("Sin texto"), records.stamp(reply.received_at))
    if not record.replies:
        paper.lead(_("Nada."))
    return bytes(paper.output())


def of_everybody(account: Account) -> bytes:
    """The acts of consent noted last, at most `MOST`."""
    rows, more = proof.latest(account, MOST)
    title = _("Prueba de los permisos")
    paper = _paper(account, title, seal(proof.csv(rows)))
    paper.lead(_("Los permisos y las bajas que %(business)s tiene anotados, el %(day)s.") % _where(account))
    if more:
        words = _("Aquí están los %(most)s actos más recientes. Todos están en la descarga en CSV, sin límite.")
        paper.lead(words % {"most": wording.number(MOST)})
    _acts(paper, rows, named=True)
    return bytes(paper.output())


def seal(chunks: Iterable[bytes]) -> str:
    """SHA-256 of a file's chunks, in hexadecimal."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def _paper(account: Account, title: str, seal: str) -> "Paper":
    from pregon.panel.paper import Paper  # see there

    return Paper(account, title, seal)


def _acts(paper: "Paper", rows: Sequence[proof.Row], *, named: bool = False) -> None:
    for row in rows:
        who = " · ".join(filter(None, (row.name, wording.mobile(row.mobile)))) if named else ""
        paper.entry(f"{row.act}: {row.words}", row.happened, who)
        for name, value in proof.evidence(row):
            paper.fact(name, value, 9)
    if not rows:
        paper.lead(_("No hay ningún acto de permiso anotado."))


def _where(account: Account) -> dict[str, str]:
    return {"business": account.name, "day": wording.written(timezone.localdate(), "full")}
