"""Writing promotions down: every edit is a new version, what was sent before stays as it was.

Refused         nothing was changed; the sentence says why and what to do
"""

from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.accounts.models import Account, User
from pregon.promotions import approvals, compositions, problems
from pregon.promotions.models import Broadcast, Promotion, Recurrence, Version, Way
from pregon.whatsapp import templates
from pregon.whatsapp.models import Number, Template

NAME = 80


class Refused(Exception):
    """What was asked cannot be done now."""


@dataclass(frozen=True)
class Draft:
    """What a promotion says, before it is a version.

    `buttons`: {"kind": "reply" | "url", "text", "url"}; the one that opts out is implied.
    """

    name: str
    way: str = Way.TEMPLATE
    template: Template | None = None
    subject: str = ""
    detail: str = ""
    footer: str = ""
    buttons: list[dict[str, str]] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)  # gap key → text, see shapes.Gap
    fallbacks: dict[str, str] = field(default_factory=dict)  # contact field → what to say where it is empty

    def version(self, promotion: Promotion, number: int = 0) -> Version:
        """Not saved: for a preview, or to be."""
        return Version(promotion=promotion, number=number, **self._words())

    def says(self, version: Version) -> bool:
        """Does that version say the same? A template of one's own is set by its review, not by the person."""
        return all(
            getattr(version, name) == value
            for name, value in self._words().items()
            if name != "template" or self._chosen
        )

    @property
    def _chosen(self) -> bool:
        return self.way == Way.TEMPLATE

    def _words(self) -> dict[str, object]:
        words = {name: getattr(self, name) for name in WORDS}
        return words | {"template": self.template if self._chosen else None}


WORDS = ("way", "subject", "detail", "footer", "buttons", "values", "fallbacks")


@transaction.atomic
def create(account: Account, actor: User | None, fields: Draft) -> Promotion:
    """A promotion with its first version."""
    promotion = Promotion.objects.create(account=account, name=fields.name[:NAME], created_by=actor)
    _add(promotion, actor, fields, 1)
    return promotion


@transaction.atomic
def save(promotion: Promotion, actor: User | None, fields: Draft) -> Version:
    """The latest version: a new one if something it says changed, and then open broadcasts lose their approval."""
    locked = Promotion.objects.select_for_update().get(pk=promotion.pk)
    if locked.name != fields.name[:NAME]:
        locked.name = fields.name[:NAME]
        locked.save(update_fields=["name"])
    last = latest(locked)
    if fields.says(last):
        return last
    version = _add(locked, actor, fields, last.number + 1, reviewed=last)
    approvals.message_changed(locked)
    return version


@transaction.atomic
def duplicate(promotion: Promotion, actor: User | None) -> Promotion:
    """A copy to change at will; a template of one's own keeps its approval while its words stay the same."""
    last = latest(promotion)
    copy = Promotion.objects.create(
        account=promotion.account, name=(_("Copia de %(name)s") % {"name": promotion.name})[:NAME], created_by=actor
    )
    _add(copy, actor, written(last), 1, reviewed=last)
    return copy


@transaction.atomic
def archive(promotion: Promotion) -> None:
    """Out of the list; results stay. Raises `Refused` while a sending of it is planned."""
    if promotion.broadcasts.filter(status__in=(Broadcast.Status.SCHEDULED, Broadcast.Status.WAITING)).exists():
        raise Refused(_("Tiene un envío programado. Cancélalo primero en Envíos y resultados."))
    if promotion.recurrences.exclude(status=Recurrence.Status.ENDED).exists():
        raise Refused(_("Se repite. Termina primero la repetición en Envíos y resultados."))
    Promotion.objects.filter(pk=promotion.pk, archived_at=None).update(archived_at=timezone.now())


def restore(promotion: Promotion) -> None:
    Promotion.objects.filter(pk=promotion.pk).update(archived_at=None)


def submit_for_review(promotion: Promotion, number: Number | None) -> Template:
    """Hand the latest version in at Meta as a template of one's own; it may be sent once approved.

    Raises `Refused`, and `whatsapp.problems.MetaProblem` when Meta says no. The name at Meta follows from the version,
    so a second click is refused by Meta rather than making a second template.
    """
    version = latest(promotion)
    if number is None:
        raise Refused(_("Aún no conectas un número de WhatsApp. Hazlo en Ajustes."))
    if version.way != Way.OWN or version.template:
        raise Refused(_("Esta versión ya está en manos de Meta. Si la cambias, podrás enviarla otra vez a revisión."))
    if found := problems.before_review(version):
        raise Refused(" ".join(found))
    version.template = templates.submit(
        number,
        name=compositions.name(version),
        components=compositions.components(version),
        category=compositions.CATEGORY,
        language=compositions.language(version),
    )
    version.save(update_fields=["template"])
    return version.template


def ready(version: Version) -> list[str]:
    """What keeps it from being sent, as sentences; empty when it may be."""
    return problems.find(version)


def latest(promotion: Promotion) -> Version:
    """What the promotion says now, with its template."""
    return promotion.versions.select_related("template", "promotion__account").latest("number")


def written(version: Version) -> Draft:
    """A version as a draft again, to be edited."""
    return Draft(
        name=version.promotion.name, template=version.template, **{name: getattr(version, name) for name in WORDS}
    )


def _add(
    promotion: Promotion, actor: User | None, fields: Draft, number: int, *, reviewed: Version | None = None
) -> Version:
    version = fields.version(promotion, number)
    version.created_by = actor
    if reviewed and fields.way == reviewed.way == Way.OWN and _same_at_meta(version, reviewed):
        version.template = reviewed.template
    version.save()
    return version


def _same_at_meta(version: Version, reviewed: Version) -> bool:
    return _wording(version) == _wording(reviewed)


def _wording(version: Version) -> list[compositions.Component]:
    """What Meta reviews, without the examples."""
    return [
        {key: value for key, value in part.items() if key != "example"} for part in compositions.components(version)
    ]
