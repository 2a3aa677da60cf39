"""Test messages: a promotion on a member's own phone, through the same pipe as everybody's.

A trial is a batch of one without a broadcast: it counts in the quota, obeys *baja*, and is not held in quiet hours. The
number is the member's own by their statement, which is kept as the consent of a contact like any other; and by a code
that this member alone was told, and that came from that phone.

    Unproved    a `launch.Refused`: the phone has not sent its `code` to the business's `number`
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_  # noqa: N812 - the name that message extractors know

from pregon.accounts.models import Account, Member
from pregon.contacts import consent, people
from pregon.contacts.models import Consent, Contact, Source
from pregon.lib import crypto, text
from pregon.promotions import fields, forecast, launch, lines, preview, problems
from pregon.promotions.models import Trial, Version, Way
from pregon.quota import ledger
from pregon.sending import intake
from pregon.sending.models import Batch
from pregon.whatsapp.models import Number

STATEMENT = N_("Es mi celular y acepto recibir aquí pruebas de mensajes")
PER_HOUR = 10  # of a business
END = timedelta(hours=1)  # a test that could not leave by then is of no use any more

SELECT = """
SELECT id AS contact_id, name, coalesce(mobile, '') AS mobile, coalesce(meta_user_id, '') AS meta_user_id,
    %(values)s::text[] AS "values", '' AS omission
FROM contacts_contact WHERE id = %(contact)s
"""


class Unproved(launch.Refused):
    """Nobody writes to a stranger's phone: it shows first that it is this member's."""

    def __init__(self, code: str, number: Number) -> None:
        self.code, self.number = code, number
        words = _("Para saber que es tuyo, manda %(code)s por WhatsApp desde ese celular a tu número %(number)s.")
        super().__init__(words % {"code": code, "number": number.display} + " " + _("Luego envía la prueba otra vez."))


def phone(member: Member) -> Contact | None:
    """The contact of the number that this member said and showed is theirs, while it has permission."""
    granted = Contact.objects.filter(account=member.account_id, consent=Consent.GRANTED)
    found = granted.filter(mobile=member.mobile).first() if member.mobile else None
    return found if found and _proved(member, found) else None


def own(member: Member, raw: str, ip: str = "") -> Contact:
    """The member states that this number is theirs and may be written to.

    Raises `people.BadNumber`, `Unproved`, `launch.Refused`. The contact stays also when it is refused, without permission:
    so that what they write then is known as theirs.
    """
    try:
        contact = people.add(member.account, people.Details(name=str(member.user), mobile=raw))
    except people.AlreadyThere as there:
        contact = there.contact
    return _own(member, contact.pk, ip)


@transaction.atomic
def _own(member: Member, contact_id: int, ip: str) -> Contact:
    contact = Contact.objects.select_for_update(no_key=True).get(pk=contact_id)  # two clicks state it once
    if contact.consent == Consent.WITHDRAWN:
        raise launch.Refused(
            _("Ese celular pidió no recibir más. Escribe ALTA desde él a tu número y vuelve a intentarlo.")
        )
    if not _proved(member, contact):
        line = member.account.numbers.filter(practice=False).order_by("id").first()
        raise Unproved(code(member, contact), launch.usable(line))
    if contact.consent != Consent.GRANTED:
        consent.record(
            contact,
            Consent.GRANTED,
            source=Source.PANEL,
            happened_at=timezone.now(),
            actor=member.user,
            text=_(STATEMENT),
            ip=ip,
        )
    member.mobile = contact.mobile or ""
    member.save(update_fields=["mobile"])
    return contact


def code(member: Member, contact: Contact) -> str:
    """The eight digits by which that contact's phone shows that it is this member's."""
    digest = crypto.keyed_hash(f"phone of member {member.pk}: {contact.mobile}", settings.SECRET_KEYS[-1])
    return f"{int(digest, 16) % 10**8:08}"


def _proved(member: Member, contact: Contact) -> bool:
    """Virtual phones need not."""
    if member.account.practice:
        return True
    sent = contact.replies.filter(number__practice=False, text__regex=rf"\y{code(member, contact)}\y")
    return sent.exists()


@transaction.atomic
def send(member: Member, version: Version, token: UUID) -> Trial:
    """Send it to the member's own phone; the same token is the same test. Raises `launch.Refused`."""
    Account.objects.select_for_update(no_key=True).get(pk=member.account_id)  # two clicks; and the tests of an hour
    if made := Trial.objects.filter(account=member.account_id, token=token).first():
        return made
    number = _check(member.account, version)
    contact = phone(member)
    if contact is None:
        raise launch.Refused(_("Di primero cuál es tu celular: las pruebas solo van al tuyo."))
    if version.way == Way.TEXT and not _in_window(contact, timezone.now()):
        raise launch.Refused(
            _("El texto libre solo llega a quien escribió en las últimas 24 horas: manda antes un mensaje a tu número.")
        )
    batch = _batch(number, version, contact)
    return Trial.objects.create(account=member.account, member=member, version=version, batch=batch, token=token)


def _check(account: Account, version: Version) -> Number:
    launch.check_account(account)
    if account.trials.filter(created_at__gt=timezone.now() - timedelta(hours=1)).count() >= PER_HOUR:
        raise launch.Refused(_("Ya enviaste %(n)s pruebas en una hora. Espera un poco.") % {"n": PER_HOUR})
    if found := problems.find(version):
        raise launch.Refused(" ".join(found))
    return launch.usable(lines.choose(account, version))


def _in_window(contact: Contact, now: datetime) -> bool:
    return contact.last_inbound_at is not None and contact.last_inbound_at > now - forecast.WINDOW


def _batch(number: Number, version: Version, contact: Contact) -> Batch:
    period = ledger.current(number.account)
    if period is None:
        raise launch.Short(_("Tu plan no tiene cupo este mes. Mira Mi suscripción."))
    message, texts = preview.payload(version)
    batch = Batch.objects.create(
        account=number.account,
        number=number,
        period=period,
        payload=message,
        slots=[f"v{index}" for index in range(len(texts))],
        ends_at=timezone.now() + END,
    )
    intake.enqueue(batch, SELECT, {"contact": contact.pk, "values": _values(version, contact, texts)})
    try:
        ledger.reserve(period.pk, 1, f"batch:{batch.pk}")
    except ledger.NotEnough as short:
        raise launch.Short(_("No te queda ningún mensaje este mes, y una prueba usa uno.")) from short
    return batch


def _values(version: Version, contact: Contact, texts: list[str]) -> list[str]:
    """The person's own; an invented one where they have none: a test shows the message, not who lacks what."""
    names = [name for words in texts for name in text.variables(words)]
    own = fields.values(contact, names, version.fallbacks, fields.styles(contact.account_id, names))
    return [value or fields.sample(name, version.fallbacks) for name, value in zip(names, own, strict=True)]
