"""Words: folded for searching, read as an opt-out, filled with a person's values, shown as WhatsApp shows them.

Knows no Django: the simulator may use it as well.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Literal

from markupsafe import Markup, escape

_STOP = """
    baja; darme de baja; dame de baja; denme de baja; deme de baja; quiero darme de baja; dar de baja; solicito baja;
    me doy de baja; stop; stop all; stop promotions; stop promociones; unsubscribe; opt out; quit; end; cancel; remove;
    remove me; salir; quiero salir; salirme; parar; pare; paren; alto; basta; detener; detener promociones;
    parar promociones; no mas; no mas mensajes; no mas promociones; no mas publicidad; no mas whatsapp;
    no quiero; no quiero mas; no quiero mas mensajes; no quiero mas promociones; no quiero promociones;
    no quiero publicidad; no quiero recibir mas mensajes; no quiero recibir mensajes; no quiero recibir promociones;
    no deseo recibir mas mensajes; ya no quiero; ya no quiero mensajes; no enviar; no enviar mas; no me escriban;
    no me escriban mas; no molestar; cancelar; cancelar suscripcion; anular; anular suscripcion; desuscribir;
    desuscribirme; desuscribirse; desuscripcion; remover; remuevanme; remuevame; eliminar; eliminarme; borrarme;
    sair; descadastrar; nao quero; nao quero mais; nao quero receber; cancelar inscricao; parar promocoes; remover me
"""
_START = """
    alta; darme de alta; quiero darme de alta; start; unstop; subscribe; opt in; resume promotions;
    suscribir; suscribirme; suscribirse; suscribete; suscripcion; quiero suscribirme; quiero recibir promociones;
    reanudar; reanudar promociones; volver a recibir; inscribirme; inscrever; quero receber
"""
PLACEHOLDER = re.compile(r"\{\{\s*(\w[\w .-]{0,59}?)\s*\}\}")
_SPAN = re.compile(
    r"```(?P<block>.+?)```"
    r"|`(?P<code>[^`\n]+)`"
    r"|(?<![^\W_])(?P<mark>[*_~])(?=\S)(?P<inner>[^\n]*?\S)(?P=mark)(?![^\W_])",
    re.DOTALL,
)
_TAGS = {"*": "b", "_": "i", "~": "s"}


def fold(text: str) -> str:
    """For searching: no case, no accents (ñ becomes n), single spaces. What is stored folded is compared folded."""
    if text.isascii():  # most names of a file are
        return " ".join(text.lower().split())
    return " ".join((_fold_carefully(text) if _NOT_LATIN(text) else text.translate(_LATIN)).split())


def _fold_carefully(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = (character for character in decomposed if unicodedata.category(character) not in ("Mn", "Cf"))
    return "".join(kept).casefold()


_NOT_LATIN = re.compile(r"[^\x00-\u024f]").search
# Each folds by itself, whatever stands beside it: ten times faster than asking for the category of each.
_LATIN = {code: _fold_carefully(chr(code)) for code in range(0x250)}


def words(text: str) -> str:
    """Folded words between single spaces: «García-López, (Chelo)» is looked for by any of the three."""
    folded = fold(text)
    return " ".join(_MARKS.sub(" ", folded).split()) if _MARKS.search(folded) else folded


_MARKS = re.compile(r"[!-/:-@\[-`{-~¡¿«»“”‘’·–—]+")


def clean_keyword(text: str) -> str:
    """The whole text without case, accents, emoji, punctuation and spaces: "¡No más! 🙏" becomes "nomas"."""
    return "".join(filter(str.isalnum, fold(text)))


def optout_keyword(text: str) -> Literal["stop", "start"] | None:
    """What a reply asks for if its *whole* text is a keyword; "cancelar mi pedido" asks for nothing."""
    keyword = clean_keyword(text)
    if keyword in _STOP_WORDS:
        return "stop"
    return "start" if keyword in _START_WORDS else None


def variables(text: str) -> list[str]:
    """Names inside `{{…}}`, each once, in order of appearance."""
    return list(dict.fromkeys(PLACEHOLDER.findall(text)))


def missing(text: str, values: Mapping[str, str]) -> list[str]:
    """Variables of the text that have no value, or a blank one."""
    return [name for name in variables(text) if not values.get(name, "").strip()]


def render(text: str, values: Mapping[str, str]) -> str:
    """Puts values in place of `{{name}}`, once: a value that holds braces stays as it is.

    What is `missing` stays visible as its placeholder, so ask `missing` before anything is sent.
    """
    return PLACEHOLDER.sub(lambda found: values.get(found[1], "").strip() or found[0], text)


def whatsapp_html(text: str) -> Markup:
    """*bold*, _italic_, ~strike~, `code` and ```mono``` as WhatsApp draws them, everything else escaped.

    Line breaks become `<br>`. The result is safe for Django's and Jinja's templates alike.
    """
    return Markup("").join(_spans(text.replace("\r\n", "\n")))


def _spans(text: str) -> list[Markup]:
    parts, end = [], 0
    for found in _SPAN.finditer(text):
        parts += [_lines(text[end : found.start()]), _span(found)]
        end = found.end()
    return [*parts, _lines(text[end:])]


def _span(found: re.Match[str]) -> Markup:
    if mark := found["mark"]:
        inner = Markup("").join(_spans(found["inner"]))
        return Markup("<{tag}>{inner}</{tag}>").format(tag=_TAGS[mark], inner=inner)
    return Markup("<code>{}</code>").format(_lines(found["block"] or found["code"]))


def _lines(text: str) -> Markup:
    return escape(text).replace("\n", Markup("<br>"))


def _keywords(phrases: str) -> frozenset[str]:
    return frozenset(map(clean_keyword, phrases.split(";")))


_STOP_WORDS = _keywords(_STOP)
_START_WORDS = _keywords(_START)
