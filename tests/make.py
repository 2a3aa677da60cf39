"""Rows for tests: the shortest way to a business with what a test needs. Every function saves and returns its row."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import count
from typing import Any

from django.apps import apps
from django.test import Client
from django.utils import timezone

from pregon.accounts.models import Account, Member, Role, User
from pregon.contacts import fields as own_fields
from pregon.contacts.models import Consent, Contact, Tag
from pregon.lib import text
from pregon.promotions import approvals, broadcasts, trials
from pregon.promotions.models import Broadcast, Promotion, Version, Way
from pregon.quota import ledger
from pregon.quota.models import Period
from pregon.sending.models import Batch, Message, Reply, Status
from pregon.subscriptions.models import Plan, Subscription
from pregon.whatsapp.models import Number, Portfolio, Template

PASSWORD = "una-clave-larga-de-prueba"
serial = count(1)


def user(email: str = "", **fields: Any) -> User:
    return User.objects.create_user(
        email or f"persona{next(serial)}@example.com", PASSWORD, **{"name": "Lucía Mendoza"} | fields
    )


def account(name: str = "Panadería La Espiga", **fields: Any) -> Account:
    """Without quiet hours, so that no test depends on the hour at which it runs."""
    return Account.objects.create(name=name, **{"quiet_from": None, "quiet_until": None} | fields)


def member(account: Account, role: Role = Role.OWNER, **fields: Any) -> Member:
    return Member.objects.create(account=account, user=fields.pop("user", None) or user(), role=role, **fields)


def signed_in(member: Member) -> Client:
    """A browser where this member is signed in and works for this business."""
    client = Client()
    client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    session = client.session
    session["account"] = member.account_id
    session.save()
    return client


def plan(slug: str = "profesional") -> Plan:
    """basico, starter, profesional or premium: the migration's row, made again where a transactional test emptied its table."""
    rows = import_module("pregon.subscriptions.migrations.0002_first_plans").PLANS
    defaults = next(row for row in rows if row["slug"] == slug)
    return Plan.objects.get_or_create(slug=slug, defaults={"currency": "MXN"} | defaults)[0]


def subscription(account: Account, slug: str = "profesional", **fields: Any) -> Subscription:
    """A subscription whose month is not opened: `subscriptions.changes.start` does both."""
    return Subscription.objects.create(
        account=account, plan=plan(slug), **{"anchor_day": 1, "started_at": timezone.now()} | fields
    )


def period(account: Account, limit: int = 2_000, **fields: Any) -> Period:
    """The month around now, with its limit granted."""
    now = timezone.now()
    times = {"starts_at": now - timedelta(days=10), "ends_at": now + timedelta(days=20)}
    row = Period.objects.create(account=account, **times | fields)
    ledger.grant(row.pk, limit, "plan:profesional")
    row.refresh_from_db()
    return row


def business(slug: str = "profesional", **fields: Any) -> Member:
    """The owner of a business with a plan, an open month and a number: what most pages need."""
    row = account(**fields)
    subscription(row, slug)
    period(row, limit=plan(slug).monthly_limit)
    number(row)
    return member(row)


def contact(account: Account, name: str = "", **fields: Any) -> Contact:
    """Someone with permission and a number of their own, unless told otherwise."""
    n = next(serial)
    given = {
        "mobile": f"+52222{n:07d}",
        "consent": Consent.GRANTED,
        "consent_at": datetime(2026, 1, 1, tzinfo=UTC),
    } | fields
    name = name or f"Persona {n}"
    own_fields.ensure_texts(account, given.get("fields", {}))
    return Contact.objects.create(account=account, name=name, **{"search": text.words(name)} | given)


def wrote(account: Account, mobile: str, text: str = "") -> Contact:
    """The contact of a phone that wrote to the business; without permission when it is new."""
    person = account.contacts.filter(mobile=mobile).first()
    person = person or contact(account, "Lucía Mendoza", mobile=mobile, consent=Consent.UNKNOWN, consent_at=None)
    line = account.numbers.first() or number(account)
    given = {"account": account, "number": line, "contact": person, "text": text, "received_at": timezone.now()}
    Reply.objects.create(wamid=f"wamid.{next(serial)}", **given)
    return person


def proved(member: Member, mobile: str) -> Contact:
    """The contact of a phone that sent the code by which it is this member's own."""
    return wrote(member.account, mobile, trials.code(member, Contact(mobile=mobile)))


def tag(account: Account, name: str, *contacts: Contact) -> Tag:
    row = Tag.objects.create(account=account, name=name)
    row.contacts.add(*contacts)
    return row


def number(account: Account, **fields: Any) -> Number:
    n = next(serial)
    daily_limit = fields.pop("daily_limit", 2_000)
    portfolio = fields.pop("portfolio", None) or Portfolio.objects.create(
        meta_id=f"portafolio-{n}", daily_limit=daily_limit
    )
    given = {
        "phone_number_id": f"1{n:014d}",
        "waba_id": f"2{n:014d}",
        "display": "+52 222 555 0142",
        "verified_name": account.name,
    }
    row = Number(account=account, portfolio=portfolio, **given | fields)
    row.token = "un-token-de-prueba"
    row.save()
    return row


def template(number: Number, **fields: Any) -> Template:
    """An approved template with one variable in its body."""
    n = next(serial)
    body = {"type": "BODY", "text": "Hola {{1}}, hoy hay pan recién salido.", "example": {"body_text": [["Ana"]]}}
    given = {
        "meta_id": f"3{n:014d}", "name": f"promo_{n}", "language": "es_MX", "category": "MARKETING", "status": "APPROVED",
        "components": [body], "synced_at": timezone.now(),
    }  # fmt: skip
    return Template.objects.create(account=number.account, waba_id=number.waba_id, **given | fields)


def promotion(account: Account, name: str = "Charolas para tu posada", **fields: Any) -> Promotion:
    """A promotion whose first version fills the variable of an approved template with `{{nombre}}`, ready to be sent."""
    row = Promotion.objects.create(account=account, name=name)
    line = account.numbers.first() or number(account)
    given = {"number": 1, "values": {"body.1": "{{nombre}}"}, "fallbacks": {"nombre": "vecino"}}
    if fields.get("way", Way.TEMPLATE) == Way.TEMPLATE and "template" not in fields:
        given["template"] = template(line)
    Version.objects.create(promotion=row, **given | fields)
    return row


def broadcast(
    account: Account, promoted: Promotion | None = None, *, approved_by: User | None = None, **fields: Any
) -> Broadcast:
    """A draft for everybody; with `approved_by` it is approved for as many as would get it now."""
    row = broadcasts.prepare(promoted or promotion(account), approved_by)
    if fields:
        Broadcast.objects.filter(pk=row.pk).update(**fields)
    if approved_by:
        row.refresh_from_db()
        approvals.approve(row, approved_by, seen=approvals.mark(row))
    row.refresh_from_db()
    return row


def message(batch: Batch, person: Contact, **fields: Any) -> Message:
    """One of a batch's messages, beside the books: counters stay as they are."""
    position = batch.messages.count()
    given = {"position": position, "name": person.name, "mobile": person.mobile or "", "status": Status.ACCEPTED}
    created_at = fields.pop("created_at", None)
    row = Message.objects.create(account=batch.account, batch=batch, contact=person, **given | fields)
    if created_at:
        Message.objects.filter(pk=row.pk).update(created_at=created_at)
    return row


def batch(account: Account, promoted: Promotion | None = None, **fields: Any) -> Batch:
    """The sending side alone, without messages."""
    line = account.numbers.first() or number(account)
    month = fields.pop("period", None) or account.periods.first() or period(account)
    given = {
        "payload": {},
        "ends_at": timezone.now() + timedelta(hours=72),
        "promotion": promoted.pk if promoted else None,
    }
    return Batch.objects.create(account=account, number=line, period=month, **given | fields)


def rates() -> None:
    """Meta's rates as a migration brings them; a test on real transactions may have emptied their table."""
    import_module("pregon.promotions.migrations.0002_rates").add_rates(apps, None)
