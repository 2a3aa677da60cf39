"""Many numbers mended at once: what is noted of it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pregon.contacts import review
from pregon.contacts.models import Change, MobileProblem
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make.member(make.account())


def bad(account, raw):
    return make.contact(
        account,
        mobile=None,
        mobile_raw=raw,
        mobile_problem=MobileProblem.INCOMPLETE,
        consent="unknown",
        consent_at=None,
    )


def test_who_gave_which_number_is_noted(owner):
    ana, beto = bad(owner.account, "222 555 01"), bad(owner.account, "222 555 02")
    given = {ana.pk: "+522225550142", beto.pk: "+522225550142"}  # beto's is taken by then
    assert review.give(owner.account, given, owner.user) == 1
    change = Change.objects.get()
    assert (change.contact, change.actor, change.source) == (ana, owner.user, Change.Source.PANEL)
    assert change.changed == {"mobile": ["222 555 01", "+522225550142"]}


def test_queries_do_not_grow_with_the_numbers(owner):
    def queries(start, end):
        people = [bad(owner.account, f"555 {n}") for n in range(start, end)]
        numbers = {person.pk: f"+52222555{n:04}" for n, person in enumerate(people, start)}
        with CaptureQueriesContext(connection) as found:
            assert review.give(owner.account, numbers, owner.user) == len(people)
        return len(found)

    assert queries(0, 2) == queries(2, 60)
