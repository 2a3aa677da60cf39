"""The approval of the preview: who, when, what, for how many; and what undoes it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pregon.contacts.models import Contact
from pregon.promotions import approvals, audiences, broadcasts, checklist, drafts, forecast, launch, stages
from pregon.promotions.models import Broadcast
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    member = make.business()
    for _ in range(3):
        make.contact(member.account)
    return member


def test_it_records_who_when_what_and_how_many(owner):
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    assert (broadcast.approved_by, broadcast.approved_count, broadcast.version.number) == (owner.user, 3, 1)
    assert abs((timezone.now() - broadcast.approved_at).total_seconds()) < 5
    assert approvals.valid(broadcast)


def test_a_message_with_problems_is_not_approved(owner):
    template = make.template(owner.account.numbers.get(), status="PAUSED")
    broadcast = make.broadcast(owner.account, make.promotion(owner.account, template=template))
    with pytest.raises(approvals.NotReady, match="en pausa"):
        approvals.approve(broadcast, owner.user, seen=approvals.mark(broadcast))
    broadcast.refresh_from_db()
    assert not approvals.valid(broadcast)


def test_nobody_to_write_to_is_not_approved(owner):
    Contact.objects.update(consent="unknown")
    with pytest.raises(approvals.NotReady, match="nadie recibe"):
        make.broadcast(owner.account, approved_by=owner.user)


def test_what_was_on_the_screen_is_what_is_approved(owner):
    broadcast = make.broadcast(owner.account)
    seen = approvals.mark(broadcast)
    assert seen.startswith(f"{broadcast.version_id}-")
    broadcasts.change_audience(broadcast, audiences.define("contacts", [owner.account.contacts.first().pk]))
    with pytest.raises(approvals.NotReady, match="cambiaron mientras"):
        approvals.approve(broadcast, owner.user, seen=seen)

    broadcast.refresh_from_db()
    seen = approvals.mark(broadcast)
    drafts.save(broadcast.promotion, owner.user, edited(broadcast.promotion))
    with pytest.raises(approvals.NotReady, match="cambiaron mientras"):
        approvals.approve(broadcast, owner.user, seen=seen)


def edited(promotion):
    """The same promotion with other words, as the editor saves it."""
    last = promotion.versions.latest("number")
    return drafts.Draft(
        name=promotion.name, way=last.way, template=last.template, values={"body.1": "{{nombre}}, vecino"}
    )


def test_another_message_undoes_it_and_says_why(owner):
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    drafts.save(broadcast.promotion, owner.user, edited(broadcast.promotion))
    broadcast.refresh_from_db()
    assert (broadcast.approved_at, broadcast.approved_by, broadcast.approved_count) == (None, None, None)
    assert broadcast.version.number == 2
    assert broadcast.approval_lost.startswith("Cambiaste el mensaje el ")
    with pytest.raises(launch.NotApproved):
        launch.launch(broadcast, owner.user)


def test_another_message_takes_a_planned_hour_away(owner):
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    launch.schedule(broadcast, timezone.now() + timedelta(hours=1))
    drafts.save(broadcast.promotion, owner.user, edited(broadcast.promotion))
    broadcast.refresh_from_db()
    assert (broadcast.status, broadcast.scheduled_for) == (Broadcast.Status.DRAFT, None)


def test_what_was_launched_stays_as_it_was(owner):
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    launch.launch(broadcast, owner.user)
    drafts.save(broadcast.promotion, owner.user, edited(broadcast.promotion))
    broadcast.refresh_from_db()
    assert (broadcast.version.number, broadcast.approved_by) == (1, owner.user)


def test_another_list_undoes_it_and_the_same_list_does_not(owner):
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    broadcasts.see_omissions(broadcast)
    broadcasts.change_audience(broadcast, audiences.Definition())
    broadcast.refresh_from_db()
    assert approvals.valid(broadcast)

    tag = make.tag(owner.account, "Centro", *Contact.objects.all()[:2])
    broadcasts.change_audience(broadcast, audiences.define("tags", [tag.pk]))
    broadcast.refresh_from_db()
    assert not approvals.valid(broadcast)
    assert broadcast.approval_lost.startswith("Cambiaste la lista el ")
    assert broadcast.omissions_seen_at is None, "the new list is still to be reviewed"


def test_what_is_closed_no_longer_changes(owner):
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    launch.launch(broadcast, owner.user)
    for change in (
        lambda: broadcasts.change_audience(broadcast, audiences.define("tags", [1])),
        lambda: broadcasts.choose_quota(broadcast, Broadcast.Choice.FIT),
        lambda: approvals.approve(broadcast, owner.user, seen=approvals.mark(broadcast)),
        lambda: launch.schedule(broadcast, timezone.now() + timedelta(hours=1)),
        lambda: broadcasts.discard(broadcast),
    ):
        with pytest.raises(stages.ClosedError):
            change()


def test_the_checklist_comes_from_data(owner):
    broadcast = make.broadcast(owner.account)
    assert checklist.of(broadcast, forecast.forecast(broadcast)).done == 1, "the quota fits"
    broadcasts.see_omissions(broadcast)
    approvals.approve(broadcast, owner.user, seen=approvals.mark(broadcast))
    batch = launch.launch(broadcast, owner.user)
    broadcast.refresh_from_db()
    assert checklist.of(broadcast, None).done == 3
    checklist.see_result(broadcast)
    assert broadcast.result_seen_at is None, "it is still running"
    type(batch).objects.filter(pk=batch.pk).update(queued=0, accepted=3)
    broadcast.refresh_from_db()
    checklist.see_result(broadcast)
    assert checklist.of(broadcast, None).done == 4


def test_the_quota_tick_needs_room_or_a_choice(owner):
    month = owner.account.periods.get()
    type(month).objects.filter(pk=month.pk).update(limit=1)
    broadcast = make.broadcast(owner.account)
    assert not checklist.of(broadcast, forecast.forecast(broadcast)).quota_confirmed
    broadcasts.choose_quota(broadcast, Broadcast.Choice.FIT)
    broadcast.refresh_from_db()
    assert checklist.of(broadcast, forecast.forecast(broadcast)).quota_confirmed
