"""Our copies of Meta's templates: listed, handed in for review, and kept true by webhooks."""

import re
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from pregon.accounts.models import Account
from pregon.whatsapp import line
from pregon.whatsapp.cloud import events, management
from pregon.whatsapp.models import Number, Template

Component = dict[str, Any]  # Meta's own form: {"type": "BODY", "text": "Hola {{1}}", "example": …}

GONE = "DELETED"
NAMED = re.compile(r"\{\{\s*[a-z_]")
KEYS = ("account", "waba_id", "name", "language")
COPIED = ("meta_id", "category", "status", "rejected_reason", "parameter_format", "components", "synced_at")


def of(number: Number) -> QuerySet[Template]:
    """The templates that can be sent from a number: those of its WhatsApp Business account, without deleted ones."""
    return number.account.templates.filter(waba_id=number.waba_id).exclude(status=GONE).order_by("name", "language")


def sync(number: Number) -> int:
    """Copy every template that Meta has, and mark as deleted those it has no more. Returns how many there are.

    Raises `problems.MetaProblem`, and then nothing is changed.
    """
    started = timezone.now()  # what is handed in while Meta lists is newer than this, and stays
    listed = line.ask(line.key(number), lambda client: management.templates(client, number.waba_id))
    rows = [_row(number.account, number.waba_id, item) for item in listed]
    with transaction.atomic():
        Template.objects.bulk_create(rows, update_conflicts=True, unique_fields=KEYS, update_fields=COPIED)
        unlisted = number.account.templates.filter(waba_id=number.waba_id, synced_at__lt=started)
        unlisted.exclude(status=GONE).update(status=GONE)
    return len(rows)


def submit(
    number: Number, *, name: str, components: Sequence[Component], category: str = "MARKETING", language: str = "es_MX"
) -> Template:
    """Hand a template in for Meta's review; it can be sent once `approved`, which a webhook tells.

    `name` is of a-z, 0-9 and _; variables are `{{1}}`… or `{{lower_case}}`, each with an example. Raises `problems.MetaProblem`.
    """
    definition = {
        "name": name,
        "language": language,
        "category": category,
        "parameter_format": parameter_format(components),
        "components": list(components),
    }
    answer = line.ask(line.key(number), lambda client: management.create_template(client, number.waba_id, definition))
    row = _row(number.account, number.waba_id, definition | {"status": "PENDING"} | answer)
    Template.objects.bulk_create([row], update_conflicts=True, unique_fields=KEYS, update_fields=COPIED)
    return Template.objects.get(account=number.account, waba_id=number.waba_id, name=name, language=language)


def parameter_format(components: Sequence[Component]) -> str:
    """NAMED where header or body has a variable with a name, else POSITIONAL: Meta allows one kind in a template."""
    texts = (str(component.get("text") or "") for component in components)
    return "NAMED" if any(NAMED.search(text) for text in texts) else "POSITIONAL"


def apply(event: events.TemplateStatusEvent | events.TemplateCategoryEvent) -> None:
    """What a webhook says about a template, in every account that has it. Unknown ones come with the next `sync`."""
    rows = Template.objects.filter(waba_id=event.waba_id, meta_id=event.template_id)
    if isinstance(event, events.TemplateCategoryEvent):
        rows.update(category=event.category[:20])
    else:
        rows.update(status=event.status[:20], rejected_reason=event.reason[:200])


def _row(account: Account, waba_id: str, item: dict[str, Any]) -> Template:
    reason = str(item.get("rejected_reason") or "")
    return Template(
        account=account,
        waba_id=waba_id,
        meta_id=str(item["id"]),
        name=item["name"],
        language=item["language"],
        category=str(item.get("category") or ""),
        status=str(item.get("status") or "PENDING"),
        rejected_reason="" if reason == "NONE" else reason[:200],
        parameter_format=str(item.get("parameter_format") or "POSITIONAL"),
        components=item.get("components") or [],
        synced_at=timezone.now(),
    )
