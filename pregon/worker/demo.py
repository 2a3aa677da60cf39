"""The demo business of a fresh installation: a bakery with contacts, a practice number and a promotion to send.

Every step looks first at what is there, so that it may be repeated: a second start changes nothing.
"""

import io
import secrets
import time
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from pregon.accounts.models import Account, Member, Role, User
from pregon.contacts import consent, imports
from pregon.contacts.models import Consent, Source
from pregon.promotions import drafts
from pregon.subscriptions import changes
from pregon.subscriptions.models import Plan
from pregon.whatsapp import practice, problems, templates
from pregon.whatsapp.models import Number, Template
from pregon.worker import demo_people

OWNER, STAFF = "lucia@laespiga.example", "proveedor@pregon.example"
DAYS = 16  # how long ago the bakery began: the month is in its middle
SECONDS = 60  # how long to wait for the practice WhatsApp
TEMPLATE = "promo_general"


def seed(wait: float = SECONDS) -> str:
    """Make whatever of the demo is missing. Returns the password of OWNER and STAFF.

    `wait`: seconds in which the practice WhatsApp must answer; else `problems.MetaProblem`, and the rest is there.
    """
    secret = password()
    owner = _person(OWNER, "Lucía Mendoza", secret, staff=False)
    _person(STAFF, "Equipo Pregón", secret, staff=True)
    account = _bakery(owner)
    _people(account, owner)
    if settings.SIMULATOR_URL:
        _promotion(account, owner, _connected(account, wait))
    return secret


def password() -> str:
    """The one kept in `$PREGON_HOME/secrets/demo_password`, made at random where nobody wrote one."""
    path = settings.PREGON_HOME / "secrets" / "demo_password"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(9))
    return str(path.read_text()).strip()


def _person(email: str, name: str, secret: str, *, staff: bool) -> User:
    user = User.objects.filter(email=email).first() or User.objects.create_user(email, name=name, is_staff=staff)
    if not user.check_password(secret):  # what `pregon run` prints is true at every start
        user.set_password(secret)
        user.save(update_fields=["password"])
    return user


@transaction.atomic
def _bakery(owner: User) -> Account:
    seat = Member.objects.filter(user=owner).select_related("account").first()
    if seat:
        return seat.account
    account = Account.objects.create(
        name="Panadería La Espiga", country="MX", time_zone="America/Mexico_City",
        address="Av. 5 de Mayo 118, Centro, Puebla", practice=bool(settings.SIMULATOR_URL),
    )  # fmt: skip
    Member.objects.create(account=account, user=owner, role=Role.OWNER)
    changes.start(account, Plan.objects.get(slug="profesional"), timezone.now() - timedelta(days=DAYS))
    return account


@transaction.atomic
def _people(account: Account, owner: User) -> None:
    """In by the import, as everybody's; then some withdraw, as some always do."""
    if account.contacts.exists():
        return
    file = io.BytesIO(demo_people.sheet(demo_people.rows()))
    batch = imports.start(account, file, "clientes_la_espiga.csv", owner)
    imports.finish(batch)
    batch.statement = "store"
    imports.commit(batch, owner)
    imports.finish(batch)
    granted = account.contacts.filter(consent=Consent.GRANTED, mobile__gte="+522225550200").order_by("id")
    for contact in granted[20:230:15]:
        consent.record(contact, Consent.WITHDRAWN, source=Source.REPLY, happened_at=timezone.now(), text="BAJA")


def _connected(account: Account, wait: float) -> Number:
    """The practice number with its templates, as soon as the practice WhatsApp answers."""
    number = account.numbers.filter(practice=True).first()
    if number and account.templates.filter(waba_id=number.waba_id, name=TEMPLATE).exists():
        return number
    deadline = time.monotonic() + wait
    while True:
        try:
            number = practice.connect_sample(account)
            templates.sync(number)
        except problems.MetaProblem:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return number


def _promotion(account: Account, owner: User, number: Number) -> None:
    if account.promotions.exists():
        return
    words = drafts.Draft(
        name="Charolas para tu posada",
        template=Template.objects.get(account=account, waba_id=number.waba_id, name=TEMPLATE),
        subject="Charolas para tu posada: 15% menos",
        detail="aparta tu charola de 12 conchas antes del 30 de noviembre y recógela en tu sucursal.",
        values={"body.1": "{{nombre}}"},
        fallbacks={"nombre": "qué gusto saludarte"},
    )
    drafts.create(account, owner, words)
