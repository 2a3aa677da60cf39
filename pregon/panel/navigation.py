"""The sections of the panel. One whose address does not exist is not shown: a door is shown only once it opens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass
class Section:
    """One door: `name` is also the name of its address in `panel`."""

    name: str
    label: str | Promise
    icon: str
    short: str | Promise = ""  # for the tabs of a phone
    url: str = ""
    also: str = ""  # the beginning of other addresses that belong to it
    count: int | None = None
    current: bool = False

    def holds(self, path: str) -> bool:
        """Whether a page is of this section; home is one page."""
        return path == self.url or (self.name != "home" and path.startswith((self.url, self.also or self.url)))


@dataclass
class Group:
    title: str | Promise
    sections: list[Section] = field(default_factory=list)


@dataclass
class Menu:
    """`groups` for the side; `tabs` and `rest` for a phone; `links` (LINKS) by name, empty where there is none."""

    groups: list[Group]
    tabs: list[Section]
    rest: list[Section]
    links: dict[str, str]


TABS = ("home", "contacts", "promotions", "broadcasts")
LINKS = {
    "theme": "panel:theme",
    "language": "panel:language",
    "switch": "panel:account_switch",
    "subscription": "panel:subscription",
    "logout": "account_logout",
}


def sections() -> list[Group]:
    return [
        Group("", [Section("home", _("Inicio"), "home")]),
        Group(
            _("Contactos y Promociones WhatsApp"),
            [
                Section("contacts", _("Contactos"), "users"),
                Section("promotions", _("Promociones"), "speakerphone", _("Promos")),
                Section("broadcasts", _("Envíos y resultados"), "chart-bar", _("Envíos")),
                Section("practice", _("Modo práctica"), "flask"),
            ],
        ),
        Group(
            _("Tu negocio"),
            [
                Section("subscription", _("Mi suscripción"), "credit-card"),
                Section("guides", _("Guías"), "book-2"),
                Section("case_new", _("Reportar un problema"), "lifebuoy", also="/casos/"),
                Section("settings", _("Ajustes"), "settings"),
            ],
        ),
    ]


@cache
def address(name: str) -> str:
    """Of a page without anything in its address; empty where there is none."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def menu(request: HttpRequest | None, shell: Mapping[str, Any]) -> Menu:
    """`shell.nav` names the current section; without it the address does."""
    groups = sections()
    every = [section for group in groups for section in group.sections]
    for section in every:
        section.url = address(f"panel:{section.name}")
        section.count = shell.get("contacts_count") if section.name == "contacts" else None
    mark_current(every, shell.get("nav") or "", request.path if request else "")
    for group in groups:
        group.sections = [section for section in group.sections if section.url]
    shown = [section for group in groups for section in group.sections]
    return Menu(
        groups=[group for group in groups if group.sections],
        tabs=[section for section in shown if section.name in TABS],
        rest=[section for section in shown if section.name not in TABS],
        links={name: address(target) for name, target in LINKS.items()},
    )


def mark_current(sections: list[Section], name: str, path: str) -> None:
    """The named section, else the one with the longest address that the path begins with (home only exactly)."""
    inside = [s for s in sections if s.url and s.holds(path)]
    best = max(inside, key=lambda s: len(s.url), default=None)
    for section in sections:
        section.current = section.name == name if name else section is best
