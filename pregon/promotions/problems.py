"""What keeps a version from being sent, as sentences: what is wrong, and what to do.

Limits are Meta's (reference of messages and templates): 60 characters for header and footer, 1,024 for the text, 25 for
a template's button and 20 for a free one, one variable in a header, none at the ends of a text.
"""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from pregon.lib import text
from pregon.promotions import compositions, fields, preview, shapes
from pregon.promotions.models import Version, Way
from pregon.whatsapp.models import Template

HEADER, BODY, FOOTER, URL, CODE = 60, 1024, 60, 2000, 20
LABEL, FREE_LABEL = 25, 20
EMOJI = re.compile(
    "[\u203c\u2049\u2139\u2194-\u21aa\u231a-\u23ff\u25aa-\u25fe\u2600-\u27bf\u2934-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
BUTTONS = 3  # with the opt-out; WhatsApp hides what comes after behind "See all options"


def find(version: Version) -> list[str]:
    """Empty when the version may be sent. At most two queries."""
    ways = {Way.TEMPLATE: _template, Way.OWN: _own, Way.TEXT: _free_text}
    return [*ways[Way(version.way)](version), *_slips(version), *_approval(version)]


def before_review(version: Version) -> list[str]:
    """What keeps a template of one's own from being submitted to Meta."""
    return [*_own(version), *_slips(version)]


def filled_length(words: str) -> int:
    """The most characters a text may have once its fields are filled."""
    return len(text.PLACEHOLDER.sub("", words)) + sum(map(fields.room, compositions.occurrences(words)))


def emojis(words: str) -> int:
    return len(EMOJI.findall(words))


def _approval(version: Version) -> Iterator[str]:
    if version.way == Way.TEXT or (version.template and version.template.approved):
        return
    if version.template is None:
        yield (
            _("Falta elegir una plantilla.")
            if version.way == Way.TEMPLATE
            else _("Meta aún no la ha revisado: envíala a revisión.")
        )
        return
    yield _("La plantilla «%(name)s» está %(status)s: solo se envían las aprobadas.") % {
        "name": version.template.name,
        "status": status(version.template),
    }


def status(template: Template) -> str:
    """Meta's word, in ours."""
    words = {
        "APPROVED": _("aprobada"),
        "PENDING": _("en revisión"),
        "REJECTED": _("rechazada"),
        "PAUSED": _("en pausa"),
    }
    return words.get(template.status, _("desactivada"))


def _slips(version: Version) -> Iterator[str]:
    """Fields nobody has, and braces that are no field."""
    words = [version.subject, version.detail, version.footer, *map(str, version.values.values())]
    if any("{{" in left or "}}" in left for left in (text.PLACEHOLDER.sub("", part) for part in words)):
        yield _("Hay llaves {{ }} sueltas. Escribe el dato completo, por ejemplo {{nombre}}, o quítalas.")
    for name in fields.unknown(version.promotion.account, preview.fields_of(version)):
        yield _("Ningún contacto tiene el dato «%(name)s». Revisa cómo se escribe o quítalo.") % {"name": name}


def _template(version: Version) -> Iterator[str]:
    if version.template is None:
        return
    shape, texts = preview.shape_of(version), preview.gap_texts(version)
    if shape.obstacle:
        yield shape.obstacle
    for gap in shape.gaps:
        yield from _gap(gap, version, texts[gap.key])
    yield from _too_long(_("El encabezado"), preview.filled(shape.header, texts, "header"), HEADER)
    yield from _too_long(_("El mensaje"), preview.filled(shape.body, texts, "body"), BODY)


def _gap(gap: shapes.Gap, version: Version, words: str) -> Iterator[str]:
    name = {"name": gap_label(gap)}
    if not words:
        yield _("Falta: %(name)s.") % name
    if gap.role == shapes.Role.DETAIL and len(version.detail.strip().splitlines()) > 1:
        yield _("El detalle va en un solo párrafo: esta plantilla no admite saltos de línea. Quítalos.")
    if not gap.personal and text.variables(words):
        yield _("%(name)s va igual para todos: quita los datos entre llaves.") % name
    if gap.place == shapes.Place.CODE and not re.fullmatch(rf"[A-Za-z0-9]{{1,{CODE}}}", words or "x"):
        yield _("El código para copiar lleva solo letras y números, 20 como máximo.")
    if gap.place == shapes.Place.URL and (re.search(r"\s", words) or len(gap.before + words) > URL):
        yield _("%(name)s es parte de una dirección: va sin espacios.") % name


def gap_label(gap: shapes.Gap) -> str:
    """What a gap is called on the page and in a problem."""
    if gap.role != shapes.Role.OTHER:
        return _("Asunto") if gap.role == shapes.Role.SUBJECT else _("Detalle")
    if gap.suggestion:
        return _("Nombre")
    if gap.place == shapes.Place.URL:
        return _("Final del enlace %(url)s") % {"url": gap.before}
    if gap.place == shapes.Place.CODE:
        return _("Código para copiar")
    if not gap.name.isdecimal():
        return gap.name.replace("_", " ").capitalize()
    return (
        _("Lo que sigue a «%(before)s»") % {"before": gap.before}
        if gap.before
        else _("Hueco %(name)s") % {"name": gap.name}
    )


def _own(version: Version) -> Iterator[str]:
    yield from _required(version.subject, _("Falta el asunto."))
    yield from _required(version.detail, _("Falta el detalle."))
    if emojis(version.subject) or re.search(r"[*_~\n]", version.subject):
        yield _("En una plantilla propia el asunto va sin emojis, sin asteriscos y en una línea.")
    if len(compositions.occurrences(version.subject)) > 1:
        yield _("En el asunto cabe un solo dato entre llaves.")
    yield from _variables(version.detail)
    yield from _lengths(version)
    yield from _buttons(version, LABEL)


def _variables(detail: str) -> Iterator[str]:
    """Meta's rules of form: 2388299, INVALID_FORMAT, 2388293."""
    if re.match(r"\s*\{\{", detail) or re.search(r"\}\}\s*$", detail):
        yield _("Meta no acepta que el detalle empiece o termine con un dato entre llaves: agrega palabras.")
    if re.search(r"\}\}[\s.,;:]*\{\{", detail):
        yield _("Meta no acepta dos datos entre llaves juntos: pon palabras en medio.")
    count = len(compositions.occurrences(detail))
    if count and len(text.PLACEHOLDER.sub(" ", detail).split()) <= count:
        yield _("Son muchos datos entre llaves para tan pocas palabras: Meta pide más texto.")


def _free_text(version: Version) -> Iterator[str]:
    yield from _required(version.detail, _("Falta el detalle."))
    if {button["kind"] for button in version.buttons} >= {"url", "reply"} or _count(version, "url") > 1:
        yield _("En texto libre va un enlace o respuestas para tocar, no las dos cosas.")
    yield from _lengths(version)
    yield from _buttons(version, FREE_LABEL)


def _lengths(version: Version) -> Iterator[str]:
    yield from _too_long(_("El asunto"), version.subject, HEADER)
    yield from _too_long(_("El detalle"), version.detail, BODY)
    yield from _too_long(_("El pie"), version.footer, FOOTER)
    if text.variables(version.footer):
        yield _("El pie va igual para todos: quita los datos entre llaves.")


def _buttons(version: Version, limit: int) -> Iterator[str]:
    labels = [text.fold(str(button["text"])) for button in version.buttons]
    if len(labels) > BUTTONS - 1:
        yield _("Caben dos botones, además del de no recibir promociones.")
    if len(set(labels)) < len(labels):
        yield _("Hay dos botones con las mismas palabras: cambia uno.")
    for button in version.buttons:
        yield from _button(str(button["text"]), str(button["url"]) if button["kind"] == "url" else None, limit)


def _button(label: str, url: str | None, limit: int) -> Iterator[str]:
    if not label:
        yield _("A un botón le faltan palabras.")
    if text.variables(label) or text.variables(url or ""):
        yield _("El botón «%(label)s» va igual para todos: quita los datos entre llaves.") % {"label": label}
    yield from _too_long(_("El botón «%(label)s»") % {"label": label}, label, limit)
    if url is not None and not web_address(url):
        yield _("La dirección del botón «%(label)s» no sirve: empieza con https:// y va sin espacios.") % {
            "label": label
        }


def web_address(url: str) -> bool:
    """A whole http(s) address that Meta takes."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and "." in (parts.hostname or "")
        and not re.search(r"\s", url)
        and len(url) <= URL
    )


def _required(words: str, sentence: str) -> Sequence[str]:
    return [] if words.strip() else [sentence]


def _too_long(what: str, words: str, limit: int) -> Iterator[str]:
    if (length := filled_length(words)) > limit:
        facts = {"what": what, "length": length, "limit": limit}
        yield _("%(what)s puede llegar a %(length)s letras con los datos más largos; caben %(limit)s.") % facts


def _count(version: Version, kind: str) -> int:
    return sum(button["kind"] == kind for button in version.buttons)
