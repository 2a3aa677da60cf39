"""Acts for many people: each kind, taken back, stopped; for whom, and for nobody else."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pregon.contacts import bulk, bulk_people, consent, merging, people, rules, tally
from pregon.contacts.bulk import Kind, Status
from pregon.contacts.bulk_people import Chosen
from pregon.contacts.models import Consent, ConsentEntry, Contact, ContactTag, Refusal, Source, Task, TaskPart
from pregon.contacts.rules import Group, Rule
from tests import make
from tests.contacts.crowd import ANAS, begin, do, gather, snapshot, tagged, take_back

pytestmark = pytest.mark.django_db
YES = {"happened_at": "2026-03-04T12:00:00+00:00", "text": "Quiero promociones", "evidence": {"statement": "store"}}
PUT = {"put": ["Feria", "VIP"], "take": None}


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture(params=["in one part", "in several"], autouse=True)
def _parts(request):
    """Whatever holds of one part holds of several."""
    usual = bulk.PART
    bulk.PART = 7 if request.param == "in several" else usual
    yield
    bulk.PART = usual


def taking(tag):
    return {"put": [], "take": {"tag": tag.pk, "name": tag.name}}


def states(account):
    return Counter(account.contacts.values_list("consent", flat=True))


class TestTags:
    def test_put_for_all_of_a_search(self):
        account = make.account()
        ids = gather(account, 30)
        make.tag(account, "VIP", *account.contacts.filter(pk__in=ids[:4]))
        task = do(account, Kind.TAG, PUT, query=ANAS)
        anas = set(ids[::3])
        assert tagged(account) == {
            pk: ({"Feria", "VIP"} if pk in anas else {"VIP"} if pk in ids[:4] else set()) for pk in ids
        }
        assert (task.status, task.total, task.done, task.changed) == (Status.DONE, 10, 10, 10)

    def test_take_from_the_picked(self):
        account = make.account()
        ids = gather(account, 20)
        tag = make.tag(account, "VIP", *account.contacts.all()[:15])
        task = do(account, Kind.TAG, taking(tag), ids=ids[10:])
        assert (task.total, task.changed) == (10, 5)
        assert set(tag.contacts.values_list("id", flat=True)) == set(ids[:10])

    def test_a_tag_that_nobody_has_any_more_goes_and_comes_back_as_itself(self):
        account = make.account()
        gather(account, 20)
        tag = make.tag(account, "VIP", *account.contacts.all())
        before = snapshot(account)
        task = do(account, Kind.TAG, taking(tag))
        assert not account.tags.exists()
        take_back(task)
        assert snapshot(account) == before

    def test_undone_all_is_as_before(self):
        account = make.account()
        ids = gather(account, 30)
        tag = make.tag(account, "VIP", *account.contacts.filter(pk__in=ids[5:12]))
        old = make.tag(account, "Vieja", *account.contacts.filter(pk__in=ids[::2]))
        before = snapshot(account)
        task = do(account, Kind.TAG, {"put": ["Feria", "vip"], "take": {"tag": old.pk, "name": "Vieja"}})
        assert tagged(account) == {pk: {"Feria", tag.name} for pk in ids}
        take_back(task)
        assert snapshot(account) == before
        assert (task.status, task.restored) == (Status.UNDONE, task.changed)
        assert not TaskPart.objects.exists()

    def test_the_same_tag_taken_and_put(self):
        account = make.account()
        ids = gather(account, 20)
        tag = make.tag(account, "VIP", *account.contacts.filter(pk__in=ids[:3]))
        before = snapshot(account)
        task = do(account, Kind.TAG, {"put": ["VIP"], "take": {"tag": tag.pk, "name": "VIP"}})
        assert tagged(account) == {pk: {"VIP"} for pk in ids}
        take_back(task)
        assert snapshot(account) == before

    def test_an_undo_leaves_alone_what_happened_since(self):
        account = make.account()
        ids = gather(account, 20)
        task = do(account, Kind.TAG, {"put": ["Feria"], "take": None})
        feria = account.tags.get()
        feria.contacts.remove(ids[3])
        feria.contacts.add(ids[3])  # by hand: not the task's any more
        people.delete(account, [ids[4]], actor=None)
        newcomer = make.contact(account)
        feria.contacts.add(newcomer)
        take_back(task)
        assert set(feria.contacts.values_list("id", flat=True)) == {ids[3], newcomer.pk}

    def test_a_tag_of_another_business_is_out_of_reach(self):
        account, stranger = make.account(), make.contact(make.account("Otra"))
        theirs = make.tag(stranger.account, "Suya", stranger)
        gather(account, 3)
        assert do(account, Kind.TAG, taking(theirs)).changed == 0
        assert list(theirs.contacts.all()) == [stranger]


class TestConsent:
    def test_for_whom_it_changes_something(self):
        account, actor = make.account(), make.user()
        ids = gather(account, 30)
        consent.record(
            Contact.objects.get(pk=ids[0]), Consent.WITHDRAWN, source=Source.REPLY, happened_at=timezone.now()
        )
        consent.record(Contact.objects.get(pk=ids[3]), Consent.GRANTED, source=Source.FORM, happened_at=timezone.now())
        make.contact(account, "Ana sin número", mobile=None, consent=Consent.UNKNOWN, consent_at=None)
        hidden = make.contact(
            account, "Ana oculta", mobile=None, meta_user_id="PE.1", consent=Consent.UNKNOWN, consent_at=None
        )
        task = do(account, Kind.CONSENT, YES, query=ANAS, actor=actor)
        assert (task.total, task.done, task.changed) == (9, 9, 9)
        noted = ConsentEntry.objects.filter(task=task)
        assert set(noted.values_list("contact", flat=True)) == {*ids[6::3], hidden.pk}
        assert set(noted.values_list("text", "actor", "source", "revives", "evidence__statement")) == {
            ("Quiero promociones", actor.pk, "panel", False, "store")
        }
        assert states(account) == {"granted": 10, "withdrawn": 1, "unknown": 21}
        assert tally.of(account).granted == 10

    def test_it_revives_nobody(self):
        """An owner's single act would; one for many never does, whenever the people of the list spoke."""
        owner = make.member(make.account())
        [pk] = gather(owner.account, 1)
        said_no = timezone.now() - timedelta(days=30)
        consent.record(Contact.objects.get(pk=pk), Consent.WITHDRAWN, source=Source.REPLY, happened_at=said_no)
        with pytest.raises(bulk.Refused, match="nada que cambiar"):
            begin(owner.account, Kind.CONSENT, YES, ids=[pk], actor=owner.user)
        consent.record_many(owner.account, [pk], consent.Act(
            consent=Consent.GRANTED, source=Source.PANEL, happened_at=timezone.now(), actor=owner.user
        ))  # fmt: skip
        assert owner.account.contacts.get().consent == Consent.WITHDRAWN

    def test_a_number_that_left_the_base_since_starts_anew(self):
        """A permission of before says nothing about whoever has the number now: it is noted, and counted for nobody."""
        account = make.account()
        old = people.add(account, people.Details("Ana", "2225550117"))
        consent.record(old, Consent.GRANTED, source=Source.FORM, happened_at=timezone.now())
        people.delete(account, [old.pk], actor=None)
        new = people.add(account, people.Details("Eva", "2225550117"))
        task = do(account, Kind.CONSENT, YES)
        new.refresh_from_db()
        assert (new.consent, task.done, task.changed) == (Consent.UNKNOWN, 1, 0)

    def test_undone_all_is_as_before_and_the_evidence_stays(self):
        account = make.account()
        ids = gather(account, 30)
        consent.record(Contact.objects.get(pk=ids[0]), Consent.GRANTED, source=Source.FORM, happened_at=timezone.now())
        before = snapshot(account)
        task = do(account, Kind.CONSENT, YES)
        assert states(account) == {"granted": 30}
        take_back(task)
        assert snapshot(account) == before
        assert (task.restored, ConsentEntry.objects.filter(task=task).count()) == (29, 29)
        assert tally.of(account) == tally.Counts(granted=1, unknown=29, withdrawn=0)

    def test_an_undone_permission_never_counts_again(self):
        account = make.account()
        [pk] = gather(account, 1)
        take_back(do(account, Kind.CONSENT, YES))
        person = account.contacts.get()
        people.edit(person, people.Details("Otro nombre", "222 000 0000"), actor=make.user())
        consent.settle(account.pk, [Contact.objects.get(pk=pk)])
        person.refresh_from_db()
        assert person.consent == Consent.UNKNOWN

    def test_an_undo_keeps_what_people_said_since(self):
        account = make.account()
        ids = gather(account, 20)
        task = do(account, Kind.CONSENT, YES)
        for pk, act in ((ids[0], Consent.GRANTED), (ids[1], Consent.WITHDRAWN)):
            consent.record(Contact.objects.get(pk=pk), act, source=Source.REPLY, happened_at=timezone.now())
        take_back(task)
        assert states(account) == {"granted": 1, "withdrawn": 1, "unknown": 18}
        assert Refusal.objects.filter(account=account).count() == 1


class TestOptOut:
    def test_all_of_a_filter(self):
        account = make.account()
        ids = gather(account, 30, "granted")
        task = do(account, Kind.OPT_OUT, query=ANAS)
        assert set(account.contacts.filter(consent="withdrawn").values_list("id", flat=True)) == set(ids[::3])
        assert Refusal.objects.filter(account=account).count() == task.changed == 10

    def test_a_yes_after_the_click_stays(self):
        account = make.account()
        ids = gather(account, 20)
        task = begin(account, Kind.OPT_OUT)
        person = Contact.objects.get(pk=ids[19])
        consent.record(person, Consent.GRANTED, source=Source.REPLY, happened_at=timezone.now())
        bulk.finish(task)
        assert states(account) == {"withdrawn": 19, "granted": 1}
        assert (task.done, task.changed) == (20, 19)

    @pytest.mark.parametrize("kept", [0, 19])
    def test_who_was_picked_and_merged_meanwhile(self, kept):
        account = make.account()
        ids = gather(account, 20, "granted")
        task = begin(account, Kind.OPT_OUT, ids=ids[5:15])
        merging.merge(account, ids[kept], ids[14], {}, make.user())
        merging.merge(account, ids[12], ids[13], {}, make.user())
        bulk.finish(task)
        out, said = account.contacts.filter(consent="withdrawn"), ConsentEntry.objects.filter(task=task)
        assert {person.pk for person in out} == {ids[kept], *ids[5:13]}
        assert (task.done, task.changed, said.exclude(contact=None).count()) == (9, 9, 9)

    def test_is_never_undone(self):
        account = make.account()
        gather(account, 3)
        task = do(account, Kind.OPT_OUT)
        with pytest.raises(bulk.Refused, match="Una baja no se deshace"):
            bulk.undo(task, make.user())
        assert states(account) == {"withdrawn": 3}


class TestDelete:
    def test_a_no_stays_and_nothing_refers_to_nobody(self):
        account = make.account()
        ids = gather(account, 30, "granted")
        make.tag(account, "VIP", *account.contacts.all())
        message = make.message(make.batch(account), account.contacts.first())
        person = Contact.objects.get(pk=ids[6])
        consent.record(person, Consent.WITHDRAWN, source=Source.REPLY, happened_at=timezone.now())
        task = do(account, Kind.DELETE, query=ANAS)
        assert set(account.contacts.values_list("id", flat=True)) == set(ids) - set(ids[::3])
        assert (task.changed, tally.of(account).total) == (10, 20)
        assert ContactTag.objects.count() == 20
        assert not ConsentEntry.objects.filter(contact__in=ids[::3]).exists()
        assert Refusal.objects.get(account=account).mobile_hash == consent.hash_of(person.mobile)
        message.refresh_from_db()
        assert (message.contact, message.mobile) == (None, "+522220000000")

    def test_is_never_undone(self):
        account = make.account()
        gather(account, 3)
        with pytest.raises(bulk.Refused, match="no se puede deshacer"):
            bulk.undo(do(account, Kind.DELETE), make.user())


class TestForWhom:
    def test_who_comes_after_the_click_is_not_in_it(self):
        account = make.account()
        gather(account, 10)
        task = begin(account, Kind.TAG, PUT)
        late = make.contact(account)
        bulk.finish(task)
        assert (task.changed, late.tags.count()) == (10, 0)

    def test_who_stops_fitting_before_their_turn_is_left_out(self):
        account = make.account()
        ids = gather(account, 20)
        task = begin(account, Kind.TAG, PUT, group=Group("all", (Rule("consent", "is", "unknown"),)))
        if bulk.PART < 20:
            bulk.advance(task.pk)
        person = Contact.objects.get(pk=ids[15])
        consent.record(person, Consent.GRANTED, source=Source.REPLY, happened_at=timezone.now())
        bulk.finish(task)
        assert (task.changed, person.tags.count()) == (19, 0)

    def test_a_segment_inside_the_sentence_and_nobody(self):
        """What the list of contacts asks for, to any depth that it may have."""
        account = make.account()
        gather(account, 12)
        inner = Group("any", (Rule("own:zona", "is", "z1"), Group("all", (Rule("consent", "is", "unknown"),))))
        group = Group("all", (Rule("consent", "is", "unknown"), inner))
        assert do(account, Kind.TAG, PUT, group=group).changed == 12
        assert bulk_people.load(account, Chosen(account, None, "", group).dump()).group == group
        with pytest.raises(bulk.Refused, match="Elige a quién"):
            begin(account, Kind.TAG, PUT, group=Group("all", (Group("any"),)))

    def test_nothing_typed_breaks_it(self):
        account = make.account()
        gather(account, 3)
        assert do(account, Kind.TAG, PUT, query="a\x00na").total == 1
        with pytest.raises(bulk.Refused):
            begin(account, Kind.TAG, PUT, query="'; DROP TABLE contacts_contact; --")

    def test_a_condition_that_is_gone_breaks_the_task_and_says_so(self):
        account = make.account()
        gather(account, 3)
        task = begin(account, Kind.TAG, PUT)
        Task.objects.update(audience={"query": "", "rules": {"all": [{"field": "luna", "op": "is"}]}})
        bulk.finish(task)
        assert (task.status, task.problem) == (Status.BROKEN, "Una condición de la lista ya no existe.")

    @pytest.mark.parametrize("kind", [Kind.TAG, Kind.CONSENT, Kind.OPT_OUT, Kind.DELETE])
    def test_others_are_out_of_reach(self, kind):
        account, other = make.account(), make.account("Otra")
        gather(account, 3)
        theirs = gather(other, 3)
        before = snapshot(other)
        args = {Kind.TAG: PUT, Kind.CONSENT: YES}.get(kind, {})
        assert do(account, kind, args, ids=[*theirs, account.contacts.first().pk]).done == 1
        with pytest.raises(bulk.Refused, match="Elige a quién"):
            begin(account, kind, args, ids=theirs)
        assert snapshot(other) == before


class TestStop:
    def test_midway(self):
        account = make.account()
        ids = gather(account, 30)
        before, parted = snapshot(account), bulk.PART < 30
        task = begin(account, Kind.TAG, PUT)
        assert bulk.advance(task.pk)
        if not parted:
            assert not bulk.advance(task.pk)
            with pytest.raises(bulk.Refused, match="ya terminó"):
                bulk.stop(task)
            return
        bulk.stop(task)
        assert bulk.advance(task.pk) is False
        task.refresh_from_db()
        assert (task.status, task.done, task.changed) == (Status.STOPPED, 7, 7)
        assert [pk for pk, names in tagged(account).items() if names] == ids[:7]
        take_back(task)
        assert snapshot(account) == before

    def test_an_undo_is_not_stopped_and_happens_once(self):
        account = make.account()
        gather(account, 20)
        task = do(account, Kind.TAG, PUT)
        bulk.undo(task, make.user())
        for act in (lambda: bulk.stop(task), lambda: bulk.undo(task, make.user())):
            with pytest.raises(bulk.Refused, match="ya terminó"):
                act()
        bulk.finish(task)
        assert task.status == Status.UNDONE


class TestTime:
    def test_after_a_month_it_is_too_late_and_what_people_were_is_forgotten(self):
        account = make.account()
        gather(account, 3)
        task, undoing = do(account, Kind.TAG, PUT), do(account, Kind.CONSENT, YES)
        bulk.undo(undoing, make.user())
        Task.objects.update(finished_at=timezone.now() - bulk.UNDO + timedelta(minutes=1))
        task.refresh_from_db()
        assert bulk.may_not_undo(task) == ""
        Task.objects.update(finished_at=timezone.now() - bulk.UNDO)
        with pytest.raises(bulk.Refused, match="30 días"):
            bulk.undo(task, make.user())
        bulk.tidy()
        assert set(TaskPart.objects.values_list("task", flat=True)) == {undoing.pk}

    def test_what_changed_nothing_has_no_way_back(self):
        account = make.account()
        gather(account, 3)
        do(account, Kind.TAG, PUT)
        again = do(account, Kind.TAG, PUT)
        assert again.changed == 0
        with pytest.raises(bulk.Refused, match="No cambió nada"):
            bulk.undo(again, make.user())


@pytest.mark.parametrize("kind", [Kind.TAG, Kind.CONSENT, Kind.OPT_OUT, Kind.DELETE, Kind.EXPORT])
def test_queries_of_a_part_do_not_grow_with_its_people(kind):
    args = {Kind.TAG: PUT, Kind.CONSENT: YES, Kind.EXPORT: {"format": "csv"}}.get(kind, {})

    def queries(people):
        account = make.account()
        gather(account, people)
        task = begin(account, kind, args)
        if kind == Kind.EXPORT:
            bulk.PART = 1  # the first part also finds the business's own columns
            bulk.advance(task.pk)
        bulk.PART = people
        with CaptureQueriesContext(connection) as found:
            bulk.advance(task.pk)
        return len(found)

    assert queries(5) == queries(500) <= 22


def test_rules_are_loaded_as_they_were_dumped():
    with pytest.raises(rules.Refused):
        rules.load({"all": [{"field": "luna", "op": "is"}]})
    assert rules.load(rules.dump(rules.EVERYBODY)) == rules.EVERYBODY
