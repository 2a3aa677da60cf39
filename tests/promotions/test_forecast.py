"""Who would get a broadcast, and why the others not."""

from datetime import timedelta
from decimal import Decimal

import phonenumbers
import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pregon.contacts.models import Consent, Contact
from pregon.lib import phones
from pregon.promotions import audiences, costs, fields, forecast, launch, preview
from pregon.promotions.models import Broadcast, Rate, Way
from pregon.sending.models import Delivery, Message, Omission, Status
from tests import make

pytestmark = pytest.mark.django_db
NOW = timezone.now


@pytest.fixture
def account():
    row = make.account()
    make.number(row)
    make.period(row)
    return row


def omission_of(account, broadcast, person):
    """The reason that the SQL gives one contact."""
    sql, params = forecast.judged(broadcast, NOW(), forecast.room(broadcast, None))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT omission FROM ({sql}) AS judged WHERE id = %(who)s", params | {"who": person.pk})
        return cursor.fetchone()[0]


# Every reason that exists before leaving, with a contact that has it and no earlier one.
ALONE = {
    Omission.OPT_OUT: {"consent": Consent.WITHDRAWN},
    Omission.NO_CONSENT: {"consent": Consent.UNKNOWN},
    Omission.INCOMPLETE: {"mobile": None, "mobile_problem": "incomplete"},
    Omission.INVALID: {"mobile": None, "mobile_problem": "invalid"},
    Omission.COUNTRY: {"mobile": "+12125552345"},
    Omission.NO_WHATSAPP: {"no_whatsapp_at": NOW() - timedelta(days=5)},
    Omission.META_WAIT: {"cooled_at": NOW() - timedelta(hours=5)},
    Omission.MISSING_DATA: {"name": ""},
}


@pytest.mark.parametrize("omission", ALONE)
def test_each_reason_alone(account, omission):
    promoted = make.promotion(account, fallbacks={})
    person = Contact.objects.get(
        pk=make.contact(account, "Ana", **{k: v for k, v in ALONE[omission].items() if k != "name"}).pk
    )
    if "name" in ALONE[omission]:
        Contact.objects.filter(pk=person.pk).update(name="")
    assert omission_of(account, make.broadcast(account, promoted), person) == omission


@pytest.mark.parametrize(
    "fine",
    [
        {},
        {"mobile": None, "meta_user_id": "MX.123"},
        {"mobile": "+14165552345"},  # Canada
        {"mobile": "+18095552345"},  # Dominican Republic
        {"no_whatsapp_at": NOW() - timedelta(days=91)},
        {"no_whatsapp_at": NOW() - timedelta(days=5), "last_inbound_at": NOW() - timedelta(days=1)},
        {"cooled_at": NOW() - timedelta(hours=25)},
    ],
)
def test_these_are_written_to(account, fine):
    person = make.contact(account, **fine)
    assert omission_of(account, make.broadcast(account), person) == ""


def test_the_first_reason_wins(account):
    """Whoever has all of them is left out for the first; taking it away uncovers the next."""
    promoted = make.promotion(account, fallbacks={})
    broadcast = make.broadcast(account, promoted)
    everything = {
        "name": "",
        "mobile": "+12125552345",
        "cooled_at": NOW(),
        "no_whatsapp_at": NOW(),
        "consent": "withdrawn",
    }
    person = make.contact(account, "x", **{k: v for k, v in everything.items() if k != "name"})
    Contact.objects.filter(pk=person.pk).update(name="")
    make.message(make.batch(account, promoted), person)
    steps = [
        (Omission.OPT_OUT, {"consent": "unknown"}),
        (Omission.NO_CONSENT, {"consent": "granted", "mobile": None, "mobile_problem": "incomplete"}),
        (Omission.INCOMPLETE, {"mobile_problem": "invalid"}),
        (Omission.INVALID, {"mobile_problem": "", "mobile": "+12125552345"}),
        (Omission.COUNTRY, {"mobile": "+522221234567"}),
        (Omission.NO_WHATSAPP, {"no_whatsapp_at": None}),
        (Omission.META_WAIT, {"cooled_at": None}),
    ]
    for expected, next_change in steps:
        assert omission_of(account, broadcast, person) == expected
        Contact.objects.filter(pk=person.pk).update(**next_change)
    assert omission_of(account, broadcast, person) == Omission.REPEATED
    Message.objects.all().delete()
    assert omission_of(account, broadcast, person) == Omission.MISSING_DATA
    Contact.objects.filter(pk=person.pk).update(name="Ana")
    assert omission_of(account, broadcast, person) == ""


def test_the_same_person_by_metas_id(account):
    """The database holds an id once per business; should that ever fail, nobody gets two messages."""
    first, second, third = (make.contact(account, name) for name in ("Ana", "Ana María", "Eva"))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("DROP INDEX contact_meta_user_once")
    Contact.objects.filter(pk__in=[first.pk, second.pk]).update(meta_user_id="MX.7")
    broadcast = make.broadcast(account)
    assert [omission_of(account, broadcast, who) for who in (first, second, third)] == ["", Omission.DUPLICATE, ""]


COUNTED = [
    (Status.QUEUED, Delivery.NONE, True),
    (Status.UNCONFIRMED, Delivery.NONE, True),
    (Status.ACCEPTED, Delivery.NONE, True),
    (Status.ACCEPTED, Delivery.READ, True),
    (Status.ACCEPTED, Delivery.FAILED, False),
    (Status.FAILED, Delivery.NONE, False),
    (Status.OMITTED, Delivery.NONE, False),
]


@pytest.mark.parametrize(("status", "delivery", "counts"), COUNTED)
def test_what_counts_as_received(account, status, delivery, counts):
    promoted, person = make.promotion(account), make.contact(account)
    make.message(make.batch(account, promoted), person, status=status, delivery=delivery)
    assert omission_of(account, make.broadcast(account, promoted), person) == (Omission.REPEATED if counts else "")


def test_the_frequency_rule_is_the_accounts_own(account):
    first, second, third = (make.promotion(account, name) for name in ("Uno", "Dos", "Tres"))
    person = make.contact(account)
    make.message(make.batch(account, first), person)
    assert omission_of(account, make.broadcast(account, third), person) == "", "one of two promotions"
    assert omission_of(account, make.broadcast(account, first), person) == Omission.REPEATED, "this one already"

    late = make.message(make.batch(account, second), person)
    assert omission_of(account, make.broadcast(account, third), person) == Omission.REPEATED, "two of two"

    Message.objects.filter(pk=late.pk).update(created_at=NOW() - timedelta(days=8))
    assert omission_of(account, make.broadcast(account, third), person) == "", "a week later"

    account.repeat_limit, account.repeat_days = 1, 7
    account.save()
    assert omission_of(account, make.broadcast(account, third), person) == Omission.REPEATED
    account.repeat_days = 0
    account.save()
    assert omission_of(account, make.broadcast(account, first), person) == "", "the rule is off"


def test_practice_is_no_promotion_received(account):
    promoted, person = make.promotion(account), make.contact(account)
    practised = make.batch(account, promoted)
    make.message(practised, person)
    type(practised).objects.update(number=make.number(account, practice=True))
    assert omission_of(account, make.broadcast(account, promoted), person) == ""
    account.practice = True
    account.save()
    assert omission_of(account, make.broadcast(account, promoted), person) == Omission.REPEATED


def test_a_test_message_is_no_promotion(account):
    person = make.contact(account)
    make.message(make.batch(account, None), person)
    make.message(make.batch(account, None), person)
    assert omission_of(account, make.broadcast(account), person) == ""


def test_free_text_needs_an_open_window(account):
    promoted = make.promotion(account, way=Way.TEXT, detail="Hoy hay pan.", values={}, template=None)
    broadcast = make.broadcast(account, promoted)
    inside = make.contact(account, last_inbound_at=NOW() - timedelta(hours=23))
    outside = make.contact(account, last_inbound_at=NOW() - timedelta(hours=25))
    never = make.contact(account)
    abroad = make.contact(account, mobile="+12125552345", last_inbound_at=NOW())
    reasons = [omission_of(account, broadcast, who) for who in (inside, outside, never, abroad)]
    assert reasons == ["", Omission.WINDOW, Omission.WINDOW, ""], "an answer to the United States is no marketing"


def test_as_many_as_fit_are_those_with_the_lowest_ids(account):
    people = [make.contact(account) for _ in range(5)]
    people[1].consent = Consent.WITHDRAWN
    people[1].save()
    month = account.periods.get()
    month.__class__.objects.filter(pk=month.pk).update(limit=2)
    broadcast = make.broadcast(account)

    predicted = forecast.forecast(broadcast)
    assert (predicted.recipients, predicted.omissions) == (4, {Omission.OPT_OUT: 1})
    assert not predicted.fits
    assert predicted.remaining_after == -2

    broadcast.quota_choice = Broadcast.Choice.FIT
    predicted = forecast.forecast(broadcast)
    assert (predicted.recipients, predicted.omissions) == (2, {Omission.OPT_OUT: 1, Omission.QUOTA: 2})
    assert [name for name, _mobile, omission in forecast.listing(broadcast) if not omission] == [
        people[0].name,
        people[2].name,
    ]


def test_without_a_plan_nobody_fits(account):
    account.periods.all().delete()
    make.contact(account)
    predicted = forecast.forecast(make.broadcast(account))
    assert (predicted.period, predicted.remaining, predicted.fits) == (None, 0, False)


def test_the_forecast_takes_a_fixed_number_of_queries(account, django_assert_num_queries):
    broadcast = Broadcast.objects.select_related("account", "version__template", "number__portfolio").get(
        pk=make.broadcast(account).pk
    )
    for _ in range(3):
        make.contact(account)
    with django_assert_num_queries(7):  # period, earlier batches, audience, rates; who waits beside it, who was reached
        assert forecast.forecast(broadcast).recipients == 3


def test_cost_by_country(account):
    make.rates()
    for mobile in ("+522221234567", "+522221234568", "+573001234567", "+4915112345678", "+881600000001"):
        make.contact(account, mobile=mobile)
    cost = forecast.forecast(make.broadcast(account)).cost
    assert {line.country: (line.people, line.rate) for line in cost.lines} == {
        "MX": (2, Decimal("0.0397")), "CO": (1, Decimal("0.0125")), "DE": (1, Decimal("0.1365")), "": (1, Decimal("0.0604")),
    }  # fmt: skip
    assert cost.lines[0].country == "MX", "most people first"
    assert cost.total == 2 * Decimal("0.0397") + Decimal("0.0125") + Decimal("0.1365") + Decimal("0.0604")


def test_the_rate_that_holds_is_the_latest_one(account):
    make.rates()
    today = NOW().astimezone(account.zone).date()
    Rate.objects.create(category="marketing", country="MX", amount=Decimal("0.05"), valid_from=today)
    Rate.objects.create(
        category="marketing", country="MX", amount=Decimal("0.09"), valid_from=today + timedelta(days=1)
    )
    assert costs.estimate({"+5222": 10}, Rate.Category.MARKETING, today).total == Decimal("0.50")
    assert costs.estimate({"+5222": 10}, Rate.Category.MARKETING, today.replace(year=2020)).lines == ()


@given(st.integers(2_000_000_000, 9_999_999_999))
@settings(max_examples=300)
def test_us_area_codes_are_those_of_the_library(national):
    number = phonenumbers.PhoneNumber(country_code=1, national_number=national)
    if phonenumbers.is_valid_number(number):
        mobile = f"+1{national}"
        assert (mobile[2:5] in costs.us_areas()) == phones.us_number(mobile)


# What was predicted is what happens, for contacts and histories of every kind.

FIELD = st.sampled_from(
    ["", " ", "Ana", "José  Luis Pérez", "O'Brien", "100%", "%s", "{{nombre}}", "x" * 90, "ñandú\tmagenta"]
)
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "name": FIELD,
            "city": FIELD,
            "consent": st.sampled_from(["granted", "granted", "granted", "unknown", "withdrawn"]),
            "mobile": st.sampled_from(["mx", "mx", "us", "none", "bad"]),
            "age": st.sampled_from([None, None, None, 1, 30, 100]),
            "cooled": st.sampled_from([None, None, 1, 30]),
            "had": st.sampled_from(["", "", "this", "other", "two"]),
        }
    ),
    min_size=1,
    max_size=12,
)


@given(people=PEOPLE, limit=st.integers(0, 12), fit=st.booleans(), fallback=FIELD)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_predicted_happens(people, limit, fit, fallback):
    account = make.account()
    make.subscription(account)
    make.number(account)
    make.period(account, limit=limit)
    promoted = make.promotion(
        account, template=make.template(account.numbers.get(), components=[BODY]),
        values={"body.1": "{{nombre}} de {{ciudad}}"}, fallbacks={"ciudad": fallback.strip()},
    )  # fmt: skip
    contacts = [generated(account, promoted, row) for row in people]
    broadcast = make.broadcast(account, promoted, quota_choice="fit" if fit else "stop")
    broadcast.approved_at, broadcast.approved_count = NOW(), 100
    broadcast.save()

    predicted = forecast.forecast(broadcast)
    assert predicted.people == len(contacts)
    try:
        batch = launch.launch(broadcast, None)
    except launch.Refused:
        assert predicted.recipients == 0 or not predicted.fits
        return
    happened = {omission: batch.messages.filter(omission=omission).count() for omission in predicted.omissions}
    assert happened == predicted.omissions
    assert batch.messages.filter(status=Status.QUEUED).count() == predicted.recipients == account.periods.get().reserved
    assert batch.queued + batch.omitted == len(contacts) == batch.messages.count()
    names = preview.fields_of(broadcast.version)
    for message in batch.messages.filter(status=Status.QUEUED).select_related("contact"):
        styles = fields.styles(account.pk, names)
        assert message.values == fields.values(message.contact, names, broadcast.version.fallbacks, styles), (
            "as the preview showed it"
        )
        assert all(message.values)


BODY = {"type": "BODY", "text": "Hola {{1}}, hay pan.", "example": {"body_text": [["Ana"]]}}


def generated(account, promoted, row):
    """A contact as one row of PEOPLE says."""
    ago = lambda hours: None if hours is None else NOW() - timedelta(hours=hours)  # noqa: E731
    person = make.contact(
        account, "x", consent=row["consent"], cooled_at=ago(row["cooled"]), fields={"ciudad": row["city"]}
    )
    person.no_whatsapp_at = None if row["age"] is None else NOW() - timedelta(days=row["age"])
    changes = {"us": {"mobile": f"+1212555{person.pk % 10000:04d}"}, "none": {"mobile": None}}
    changes["bad"] = {"mobile": None, "mobile_problem": "incomplete"}
    for name, value in changes.get(row["mobile"], {}).items():
        setattr(person, name, value)
    person.name = row["name"]
    person.save()
    received = {"this": [promoted.pk], "other": [promoted.pk + 1], "two": [promoted.pk + 1, promoted.pk + 2]}
    for promotion in received.get(row["had"], []):
        make.message(make.batch(account, None, promotion=promotion), person)
    return person


def test_chosen_people_only(account):
    ana, _eva = make.contact(account), make.contact(account)
    broadcast = make.broadcast(account, audience=audiences.write(audiences.define("contacts", [ana.pk])))
    assert forecast.forecast(broadcast).people == 1
