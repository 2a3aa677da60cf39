"""Zoraida, of whom much is known by the time her data are erased; and where any of it is still found."""

import base64
from datetime import UTC, datetime

from django.db import connection
from django.utils import timezone

from pregon.accounts.models import User
from pregon.contacts import consent, merging, people
from pregon.contacts.models import Consent, Contact, Erasure, OptinRequest, Source
from pregon.sending import erasure, replies
from pregon.sending.models import Message, Reply, Wamid
from pregon.whatsapp.models import Number
from tests import make
from tests.contacts.test_imports import bring
from tests.sending import rows
from tests.sending.test_replies import says

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MOBILE, EARLIER, TWIN = "+522225550777", "+522225550778", "+522225550779"
FILE = "Nombre;Celular;Correo;Permiso;Domicilio\nZoraida Q.;222-555 07 77;zoraida@example.net;sí;Jacarandas 12\n"
FULLER = (
    "Nombre;Celular;Correo;Permiso;Domicilio\nZoraida Quetzal;222-555 07 77;zoraida@example.net;sí;Jacarandas 14\n"
    "Zoraida Q.;2225550777;;sí;\nRosa Quiroz;222 555 0184;;sí;\n"
)


def as_meta_writes(mobile: str) -> str:
    """The number stands within the id, in base64."""
    return "wamid." + base64.b64encode(b"\x1c\x18\x0d" + mobile.removeprefix("+").encode() + b"\x15\x02").decode()


NEEDLES = ("zoraida", "jacarandas", "222-555 07 77", MOBILE[3:], EARLIER[3:], TWIN[3:], as_meta_writes(MOBILE))


def tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        return {name for (name,) in cursor if not name.startswith("contacts_staged_")}


def found(*needles: str) -> set[str]:
    """The tables in which any row says any of this, in any column."""
    wanted = [f"%{needle}%" for needle in needles or NEEDLES]
    with connection.cursor() as cursor:

        def says_it(table: str) -> bool:
            quoted = connection.ops.quote_name(table)
            cursor.execute(f"SELECT EXISTS (SELECT FROM {quoted} AS r WHERE r::text ILIKE ANY(%s))", [wanted])
            return bool(cursor.fetchone()[0])

        return {table for table in tables() if says_it(table)}


def gone_before(number: Number) -> None:
    """She was a contact once, got a message, answered it, and was deleted: both stay with the results."""
    person = make.contact(number.account, "Zoraida", mobile=MOBILE)
    batch = rows.launch(number, chosen=person.pk)
    sent = Message.objects.get(batch=batch, contact=person)
    Reply.objects.create(
        wamid=as_meta_writes(MOBILE) + "1", account=number.account, number=number, contact=person, message=sent, batch=batch,
        text="Vivo en Jacarandas", received_at=NOON,
    )  # fmt: skip
    people.delete(number.account, [person.pk], actor=make.user())


def known(number: Number) -> Contact:
    """She came in two files, the second of which changed her, has another number than before, got a message and answered."""
    account = number.account
    gone_before(number)
    bring(account, FILE.replace("222-555 07 77", "222 555 0778"))
    person = account.contacts.get(mobile=EARLIER)
    details = people.Details(name="Zoraida Q.", mobile=MOBILE, email=person.email)
    person = people.edit(person, details, actor=make.user())
    bring(account, FULLER)
    said = {"happened_at": timezone.now(), "actor": make.user(), "ip": "203.0.113.9", "text": "Lo dijo Zoraida"}
    consent.record(person, Consent.GRANTED, source=Source.PANEL, **said)
    twin = make.contact(account, "Zoraida", mobile=TWIN)
    rows.launch(number, chosen=twin.pk)
    merging.merge(account, person.pk, twin.pk, {}, make.user())
    OptinRequest.objects.create(account=account, code="K7M2PQ4X", mobile=MOBILE, name="Zoraida")
    batch = rows.launch(number, chosen=person.pk)
    sent = Message.objects.get(batch=batch, contact=person)
    Message.objects.filter(pk=sent.pk).update(error_details=f"Recipient {MOBILE} is not a valid one")
    Wamid.objects.create(wamid=as_meta_writes(MOBILE), message=sent)
    replies.receive([says(number, "Me mudé a Jacarandas", sender=MOBILE[1:], wamid=as_meta_writes(MOBILE) + "2")])
    return Contact.objects.select_related("account").get(pk=person.pk)


def click(person: Contact, owner: User) -> Erasure:
    person = Contact.objects.select_related("account").get(pk=person.pk)
    return erasure.erase(person, reason=Erasure.Reason.ASKED, actor=owner)


def erase(person: Contact, owner: User) -> Erasure:
    """All of it, as a worker completes it."""
    done = click(person, owner)
    erasure.complete(done.pk)
    return done
