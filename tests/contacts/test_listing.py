"""What a list shows of people, read at once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pregon.contacts import consent, history, listing
from pregon.contacts.models import Consent, Source
from tests import make

pytestmark = pytest.mark.django_db


def test_people_in_the_order_asked_with_their_labels(django_assert_num_queries):
    account = make.account()
    ana, eva, luz = (make.contact(account, name) for name in ("Ana", "Eva", "Luz"))
    make.tag(account, "Norte", ana, luz)
    make.tag(account, "Centro", ana)
    gone = make.contact(account)
    wanted = [luz.pk, gone.pk, ana.pk, eva.pk]
    gone.delete()
    with django_assert_num_queries(2):
        found = listing.read(wanted)
    assert [(person.name, person.tags) for person in found] == [
        ("Luz", ["Norte"]),
        ("Ana", ["Centro", "Norte"]),
        ("Eva", []),
    ]
    assert (found[1].pk, found[1].mobile, found[1].consent) == (ana.pk, ana.mobile, ana.consent)
    assert listing.read([]) == []


def test_the_act_that_made_them_what_they_are():
    now, account = timezone.now(), make.account()
    person, silent = (make.contact(account, consent=Consent.UNKNOWN) for _n in range(2))
    acts = {9: ("granted", "form"), 5: ("withdrawn", "button"), 7: ("withdrawn", "reply"), 1: ("granted", "import")}
    for days, (act, source) in acts.items():
        details = {"happened_at": now - timedelta(days=days), "evidence": {"statement": "web"}}
        consent.record(person, Consent(act), source=Source(source), **details)
    said, nothing = (found.said for found in listing.read([person.pk, silent.pk]))
    assert nothing is None
    assert (said.act, said.source, said.happened_at, said.evidence) == (
        "withdrawn",
        "button",
        now - timedelta(days=5),
        {"statement": "web"},
    )
    assert history.tell(said) == "Tocó «No recibir promociones»"
