"""What the pages of promotions show, computed for their templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pregon.accounts import access
from pregon.accounts.models import Account, Role
from pregon.contacts.models import Consent, Contact
from pregon.lib import text
from pregon.panel.forms import promotions as forms
from pregon.promotions import drafts, fields, hints, preview, problems, shapes
from pregon.promotions.models import Promotion, Version, Way
from pregon.whatsapp.models import Template

PEOPLE = 8  # to choose from for the preview
CHIPS = 6
NOBODY = "nadie"  # someone about whom nothing is known


@dataclass(frozen=True)
class Choice:
    """A template in the chooser."""

    template: Template
    pieces: list[list[tuple[str, bool]]]
    footer: str
    buttons: list[shapes.Button]
    obstacle: str
    status: str


def choice(template: Template) -> Choice:
    shape = shapes.read(template.components)
    obstacle = shape.obstacle if template.approved else ""
    return Choice(template, pieces(shape), shape.footer, shape.buttons, obstacle, problems.status(template))


def pieces(shape: shapes.Shape) -> list[list[tuple[str, bool]]]:
    """The frame by lines, each of (words, is it a gap)."""
    header = {gap.name: problems.gap_label(gap) for gap in shape.gaps_in(shapes.Place.HEADER)}
    body = {gap.name: problems.gap_label(gap) for gap in shape.gaps_in(shapes.Place.BODY)}
    lines = [(line, header) for line in shape.header.splitlines()] + [(line, body) for line in shape.body.splitlines()]
    return [_line(line, labels) for line, labels in lines if line.strip()]


def live(request: access.Request, draft: drafts.Draft, promotion: Promotion | None) -> dict[str, Any]:
    """The phone, what is missing, the hints: what follows every key that is typed."""
    version = _version(request.account, draft, promotion)
    asked = request.POST if request.method == "POST" else request.GET
    people = list(_people(request.account))
    contact = _person(request.account, asked.get("como", ""), people)
    shown, found = preview.render(version, contact), hints.find(version, contact)
    return {
        "preview": shown,
        "room": hints.room(shown.body),
        "hints": found,
        "hints_done": sum(hint.done for hint in found),
        "problems": problems.find(version),
        "people": people,
        "contact": contact,
        "nobody": NOBODY,
    }


def editor(request: access.Request, form: forms.PromotionForm, promotion: Promotion | None) -> dict[str, Any]:
    """What stands around the phone."""
    shape = form.frame.shape
    names = fields.available(request.account)[:CHIPS]
    return {
        "form": form,
        "frame": form.frame,
        "promotion": promotion,
        "pieces": pieces(shape),
        "shape": shape,
        "template": form.frame.template,
        "review": _review(promotion, form),
        "versions": list(promotion.versions.select_related("created_by").order_by("-number")[:20]) if promotion else [],
        "variables": forms.chips(names),
        "can_edit": request.member.may(Role.EDITOR),
        "Way": Way,
    }


def lacking(account: Account, draft: drafts.Draft) -> Mapping[str, int]:
    """How many people have nothing in each field that the draft names."""
    return fields.lacking(account, forms.used_fields(draft, account))


def _review(promotion: Promotion | None, form: forms.PromotionForm) -> Template | None:
    """Where Meta's review of a template of one's own stands, if what is shown is what was handed in."""
    if promotion is None or form.frame.way != Way.OWN:
        return None
    last = drafts.latest(promotion)
    return last.template if form.draft().says(last) else None


def _version(account: Account, draft: drafts.Draft, promotion: Promotion | None) -> Version:
    """What is being written; with the review it has, while it says the same as the saved one."""
    if promotion is None:
        return draft.version(Promotion(account=account, name=draft.name))
    last = drafts.latest(promotion)
    return last if draft.says(last) else draft.version(last.promotion)


def _people(account: Account) -> Any:
    return account.contacts.filter(consent=Consent.GRANTED).exclude(name="").order_by("-id")[:PEOPLE]


def _person(account: Account, key: str, people: list[Contact]) -> Contact | None:
    if key == NOBODY:
        return Contact(account=account)
    chosen = {str(contact.pk): contact for contact in people}
    return chosen.get(key) or (people[0] if people else None)


def _line(line: str, labels: Mapping[str, str]) -> list[tuple[str, bool]]:
    parts = text.PLACEHOLDER.split(line)
    return [(labels.get(part, part) if at % 2 else part, bool(at % 2)) for at, part in enumerate(parts) if part]
