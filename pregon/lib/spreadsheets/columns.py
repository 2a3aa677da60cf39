"""What a column is, by its name and by what it holds; what a yes is."""

import functools
import re
from collections.abc import Callable, Sequence
from typing import Literal

from pregon.lib import text

Field = Literal["name", "last_name", "mobile", "email", "consent", "opt_out", "tags"]

# Folded words, the surest first, in the order in which fields choose their column: "acepta whatsapp" is consent.
# A name in brackets counts only when it is the whole header ("número" is a mobile, "número de pedido" is not).
_NAMES: dict[Field, str] = {
    "opt_out": """baja; bajas; opt out; optout; unsubscribed; unsubscribe; desuscrito; descadastrado; no contactar;
        do not contact""",
    "consent": """permiso; consentimiento; consent; consentimento; opt in; optin; acepta; acepto; aceita; autoriza;
        autorizacion; autorizacao; permission; suscrito; suscripcion; subscribed; subscriber; lgpd; gdpr; marketing""",
    "email": "correo electronico; correo; email; e mail; mail",
    "mobile": """whatsapp; celular; movil; mobile; cell; cel; wsp; wpp; wa; telefono; telefone; phone; fono; tel; telf;
        tlf; [numero]; [number]; [num]; [nro]; [contacto]; [numero de contacto]""",
    "tags": """etiqueta; etiquetas; tag; tags; grupo; grupos; group; groups; categoria; category; labels; segmento;
        segment; lista""",
    "last_name": "apellidos; apellido; last name; lastname; surname; family name; sobrenome; apellido paterno",
    "name": """nombre completo; nombre y apellidos; nombres y apellidos; full name; nome completo; nombre; nombres;
        first name; given name; nome; name; cliente; clientes; customer; contacto; persona; razon social""",
}
_NOT: dict[Field, str] = {
    "mobile": """pedido; documento; factura; id; empresa; fijo; type; label; tipo; dni; ruc; rut; cedula; rfc; cuit;
        cpf; codigo; code; fecha; date; precio; monto; total; saldo""",
    "name": "empresa; company; producto; id; usuario; user; tienda; file; codigo; tipo",
    "email": "type; label; tipo",
    "tags": "id",
}
_YES = """si; s; x; 1; 1.0; v; y; yes; true; verdadero; verdad; acepta; acepto; aceptado; autoriza; autorizo;
    autorizado; ok; sim; aceito; granted; optin; opt in; subscribed; suscrito; on; check; con permiso; de acuerdo"""
_NO = """no; n; 0; 0.0; f; false; falso; rechaza; rechazado; rechazo; nao; off; never; sin permiso; no acepta; no acepto;
    no autoriza"""
# Of these somebody had said yes before, or asked for nothing more.
_WITHDRAWN = """baja; de baja; dado de baja; dada de baja; se dio de baja; withdrawn; optout; opt out; opted out;
    unsubscribe; unsubscribed; desuscrito; desuscrita; descadastrado; descadastrada; stop; retirado; revocado"""
_TICKS = {"✓": True, "✔": True, "☑": True, "✅": True, "✗": False, "✘": False, "✕": False, "❌": False, "☒": False}


def guess_mapping(headers: Sequence[str], sample: Sequence[Sequence[str]]) -> dict[Field, int]:
    """Which column (from 0) holds each field; columns that no field takes are custom ones.

    Names decide first, then (for name, mobile and email) what the sample holds. Each column serves one field at most.
    """
    mapping: dict[Field, int] = {}
    for choose in (_by_name, _by_content):
        for field in _NAMES:
            free = [place for place in range(len(headers)) if place not in mapping.values()]
            if field not in mapping and (place := choose(field, free, headers, sample)) is not None:
                mapping[field] = place
    return mapping


def familiar(cells: Sequence[str]) -> int:
    """How many cells are names of columns that we know."""
    names = [_words(cell) for cell in cells if len(cell) < 60]
    return sum(any(_rank(field, name) is not None for field in _NAMES) for name in names)


def read_permission(cell: str) -> bool | None:
    """sí, x, 1, acepta, yes … are True; no, 0, baja … are False; blank or anything else says nothing (None)."""
    if (tick := _TICKS.get(cell.strip().rstrip("\ufe0f"))) is not None:
        return tick
    word = text.fold(cell).strip(" .!")
    return True if word in _list(_YES) else False if word in _list(_NO) or is_withdrawal(cell) else None


def is_withdrawal(cell: str) -> bool:
    """De baja, unsubscribed, opt-out …: more than a no that was never a yes."""
    return _words(cell) in _list(_WITHDRAWN)


def _words(header: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.fold(header)))


@functools.cache
def _list(words: str) -> tuple[str, ...]:
    return tuple(re.split(r";\s*", words))


def _excluded(field: Field, header: str) -> bool:
    return not set(_list(_NOT.get(field, ""))).isdisjoint(header.split())


def _rank(field: Field, header: str) -> int | None:
    """Place of the best name that the header contains, exact ones first; None if it contains none."""
    best = None
    for rank, name in enumerate(_list(_NAMES[field])):
        if header == name.strip("[]"):
            return rank
        if best is None and f" {name} " in f" {header} " and not _excluded(field, header):
            best = 100 + rank
    return best


def _by_name(field: Field, free: Sequence[int], headers: Sequence[str], sample: Sequence[Sequence[str]]) -> int | None:
    ranked = [(rank, place) for place in free if (rank := _rank(field, _words(headers[place]))) is not None]
    fitting = (place for _rank_, place in sorted(ranked) if not _contradicted(field, _cells(sample, place)))
    return next(fitting, None)


def _by_content(
    field: Field, free: Sequence[int], headers: Sequence[str], sample: Sequence[Sequence[str]]
) -> int | None:
    if field not in _KINDS:
        return None
    fitting = [place for place in free if not _excluded(field, _words(headers[place]))]
    shares = [(_share(_KINDS[field], _cells(sample, place)), -place) for place in fitting]
    share, place = max(shares, default=(0.0, 0))
    return -place if share > 0.6 else None


def _cells(sample: Sequence[Sequence[str]], place: int) -> list[str]:
    return [row[place] for row in sample if row[place]]


def _share(kind: Callable[[str], object], cells: Sequence[str]) -> float:
    return sum(bool(kind(cell)) for cell in cells) / len(cells) if cells else 0.0


def _contradicted(field: Field, cells: Sequence[str]) -> bool:
    """A column "WhatsApp" full of yes and no is no number, a column "Acepta" full of numbers no consent."""
    if not cells:
        return False
    if field == "mobile":
        return not any(re.search(r"[0-9]{2}", cell) for cell in cells)
    if field in ("consent", "opt_out"):
        return _share(_any_mobile, cells) > 0.5
    return False


def _any_mobile(cell: str) -> bool:
    digits = sum(character.isdecimal() for character in cell)
    return 7 <= digits <= 15 and bool(re.fullmatch(r"[+'=(]?[0-9 ().,+\-/]+(?:[eE]\+?[0-9]+)?", cell))


def _any_name(cell: str) -> bool:
    return bool(re.fullmatch(r"[^\W\d_][^\d@]*", cell)) and read_permission(cell) is None


# Consent is never guessed from cells: a column of yes and no may be about anything.
_KINDS: dict[Field, Callable[[str], object]] = {
    "email": re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]+").fullmatch,
    "mobile": _any_mobile,
    "name": _any_name,
}
