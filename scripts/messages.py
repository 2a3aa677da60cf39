"""The catalogues, without GNU gettext: `python scripts/messages.py extract|check|compile`.

Msgids are the Spanish sentences of the sources (docs/decisions/0004); every language in `locale/` translates them all.

extract   writes what `pregon/` says into the catalogues: keeps translations, drops what nobody says any more
check     one line for each gap; exits 1 when a catalogue is not what `extract` gives, or a template speaks past it
compile   writes the .mo files
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract, extract_python
from babel.messages.mofile import write_mo
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize
from jinja2.ext import babel_extract as extract_jinja

ROOT = Path(__file__).resolve().parents[1]
LAZY = {f"{name}_lazy": DEFAULT_KEYWORDS[name] for name in ("gettext", "ngettext", "pgettext", "npgettext")}
KEYWORDS: Any = {**DEFAULT_KEYWORDS, **LAZY}
# No dates and no line numbers: a change of the file is a change of words.
HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural}\\n"

"""
KEPT = re.compile(r"%\(\w+\)[a-z]|%[sd%]|\{\w*\}|</?\w+|\n")  # what a translation repeats: placeholders, marks, lines

# What a template may say as it is: names, and the signs of a figure.
NAMES = {"Pregón", "WhatsApp", "PostgreSQL", "fbtrace", "id", "CSV", "JSON", "PDF"}
UNREAD = {"styleguide.html"}  # sample data, for those who build the panel
CODE = re.compile(
    r"{#.*?#}|{% *(comment|blocktranslate|block body_class)\b.*?{% *end(?:comment|block|blocktranslate) *%}|{%.*?%}|{{.*?}}",
    re.DOTALL,
)
READ_ALOUD = {"alt", "aria-description", "aria-label", "label", "placeholder", "title", "data-words"}
ARGUMENT = re.compile(r"_\((?:\"[^\"]*\"|'[^']*')\)|\"([^\"]*)\"|'([^']*)'")
SENTENCE = re.compile(r"^[A-ZÁÉÍÓÚÑ¿][a-záéíóúñ]|[^\W\d_]{2} [^\W\d_]{2}|[áéíóúñ¿]")
WORD = re.compile(r"[^\W\d_]{2,}")
PLUMBING = re.compile(r"{%-? *(?:translate|include|extends|load|url|static|block|from|import)\b")


# Extracting


def sources() -> list[Path]:
    """Everything that may speak, in a stable order, relative to the repository."""
    found = (path for kind in ("py", "html", "txt") for path in (ROOT / "pregon").rglob(f"*.{kind}"))
    return sorted(
        path.relative_to(ROOT) for path in found if "static" not in path.parts and "migrations" not in path.parts
    )


def messages(path: Path) -> Iterator[tuple[Any, str | None]]:
    """The (msgid or pair of plurals, context) of one source, in its order."""
    method, raw = extract_python, (ROOT / path).read_bytes()
    if "simulator" in path.parts and path.suffix == ".html":
        method = extract_jinja
    elif path.suffix != ".py":
        lines = templatize(raw.decode(), str(path)).splitlines()
        raw = "\n".join(line.strip() for line in lines).encode()  # as Python, which would trip over the indents
    options = {"encoding": "utf-8", "newstyle_gettext": "true"}
    for _line, msgid, _comments, context in extract(method, BytesIO(raw), KEYWORDS, options=options):
        yield msgid, context


def gathered() -> Catalog:
    """Every message with the file that says it first. Raises ValueError where one singular has two plurals."""
    catalog = Catalog(charset="utf-8")
    for path in sources():
        for msgid, context in messages(path):
            known = catalog.get(msgid, context)
            if known and known.pluralizable and isinstance(msgid, tuple) and tuple(known.id) != msgid:
                raise ValueError(f"{path}: «{msgid[0]}» has another plural elsewhere: «{known.id[1]}», «{msgid[1]}»")
            catalog.add(msgid, locations=[] if known else [(path.as_posix(), None)], context=context)
    return catalog


def merged(old: Catalog) -> Catalog:
    """The messages of today with the translations of `old`."""
    catalog = gathered()
    for message in catalog:
        if message.id and (before := old.get(message.id, message.context)):
            message.string = before.string if before.pluralizable == message.pluralizable else message.string
            message.flags |= before.flags & {"fuzzy"}
    return catalog


def written(catalog: Catalog, language: str) -> str:
    buffer = BytesIO()
    write_po(buffer, catalog, width=0, omit_header=True, include_lineno=False)
    return HEADER.format(language=language, plural=get_plural(language).plural_forms) + buffer.getvalue().decode()


def catalogues() -> Iterator[tuple[Path, str, Catalog]]:
    """Each (.po file, its language, what it holds)."""
    for path in sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po")):
        language = path.parts[-3]
        with path.open("rb") as file:
            yield path, language, read_po(file, locale=language)


# Checking


def gaps(catalog: Catalog) -> Iterator[str]:
    """What is wrong with each translation of a catalogue, but for its completeness."""
    for message in catalog:
        if message.id:
            yield from (f"{fault}: «{singular(message)}»" for fault in faults(message))


def singular(message: Message) -> str:
    return message.id[0] if message.pluralizable else message.id


def faults(message: Message) -> Iterator[str]:
    meant, said = pair(message.id), pair(message.string)
    if message.fuzzy:
        yield "fuzzy"
    if len(said) != len(meant) or not all(said):
        yield "not translated"
    elif not faithful(meant, said):
        yield "other placeholders"


def faithful(meant: tuple[str, ...], said: tuple[str, ...]) -> bool:
    """Whether the last form repeats all that must be kept; a singular may do without its figure («One person»)."""
    every = kept(meant[-1])
    fitting = (kept(one) <= every | kept(source) for source, one in zip(meant, said, strict=True))
    return kept(said[-1]) == every and all(fitting)


def pair(text: Any) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, (tuple, list)) else (text,)


def kept(text: str) -> set[str]:
    return set(KEPT.findall(text))


class Literals(HTMLParser):
    """Collects what a page says or has read aloud, once its template code is taken out."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.mute = False  # inside a script or a style

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.mute = tag in ("script", "style")
        self.said += [value for name, value in attrs if value and name in READ_ALOUD]

    def handle_endtag(self, _tag: str) -> None:
        self.mute = False

    def handle_data(self, data: str) -> None:
        if not self.mute:
            self.said.append(data)


def literals(path: Path) -> Iterator[str]:
    """The words of a template that no translation reaches: in its text, its attributes and what it gives to tags."""
    source = (ROOT / path).read_text()
    page = Literals()
    page.feed(CODE.sub(" ", source))
    page.close()
    yield from (text.strip() for text in page.said if set(WORD.findall(text)) - NAMES)
    for code in CODE.finditer(source):
        if not code[1] and not PLUMBING.match(code[0]):
            given = ("".join(found) for found in ARGUMENT.findall(code[0]))
            yield from (text for text in given if SENTENCE.search(text) and set(WORD.findall(text)) - NAMES)


def complaints() -> Iterator[str]:
    for path, language, old in catalogues():
        where = path.relative_to(ROOT)
        if written(merged(old), language) != path.read_text():
            yield f"{where}: not what the sources say. Run: python scripts/messages.py extract"
        yield from (f"{where}: {gap}" for gap in gaps(old))
    for path in sources():
        if path.suffix != ".py" and path.name not in UNREAD:
            yield from (f"{path}: not marked for translation: «{text}»" for text in literals(path))


# The three commands


def extract_all() -> int:
    for path, language, old in catalogues():
        path.write_text(written(merged(old), language))
    return 0


def check_all() -> int:
    found = list(complaints())
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


def compile_all() -> int:
    for path, _language, catalog in catalogues():
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalog)
    return 0


COMMANDS = {"extract": extract_all, "check": check_all, "compile": compile_all}

if __name__ == "__main__":
    if sys.argv[1:] not in [[name] for name in COMMANDS]:
        sys.exit(__doc__)
    sys.exit(COMMANDS[sys.argv[1]]())
