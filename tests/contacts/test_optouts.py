"""Who goes between the click on *Dar de baja* and their turn: the no stays, whichever way they went."""

import threading

import pytest
from django.db import connections, transaction
from django.utils import timezone

from pregon.contacts import bulk, consent, imports, merging, people, rules
from pregon.contacts.bulk import Kind, Status
from pregon.contacts.models import Consent, ConsentEntry, Contact, ContactImport, Refusal, Source
from pregon.contacts.rules import Group, Rule
from tests import make
from tests.contacts.crowd import ANAS, begin, do, gather
from tests.contacts.test_imports import bring
from tests.contacts.test_races import together

GRANTED = Group("all", (Rule("consent", "is", "granted"),))


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def refuses(account, mobile):
    return Refusal.objects.filter(account=account, mobile_hash=consent.hash_of(mobile)).exists()


def come_back(account, mobile):
    """By a file that says that all have accepted."""
    return bring(account, f"nombre,celular\nAna,{mobile}\n")


@pytest.mark.django_db
class TestWhoGoes:
    @pytest.mark.parametrize("whose", [{"ids": "picked"}, {"query": ANAS}, {"group": GRANTED}], ids=str)
    @pytest.mark.parametrize("kind", ["one", "many"])
    def test_is_no_less_out_for_being_deleted(self, whose, kind):
        account, actor = make.account(), make.user()
        ids = gather(account, 12, "granted")
        mobile = Contact.objects.get(pk=ids[3]).mobile
        task = begin(account, Kind.OPT_OUT, **({"ids": ids[:6]} if "ids" in whose else whose))
        if kind == "one":
            people.delete(account, [ids[3]], actor=actor)
        else:
            do(account, Kind.DELETE, ids=[ids[3], ids[11]])
        bulk.finish(task)
        assert refuses(account, mobile)
        assert (task.status, task.done, task.changed) == (Status.DONE, task.total, task.total)
        assert come_back(account, mobile).counts["withdrawn"] == 1
        assert not account.contacts.filter(mobile=mobile).exists()

    def test_nor_by_the_undo_of_the_file_that_brought_them(self):
        account = make.account()
        bring(account, "nombre,celular\nAna,2225550117\nEva,2225550118\n")
        file = ContactImport.objects.get()
        task = begin(account, Kind.OPT_OUT, query="ana")
        imports.undo(file, make.user())
        imports.finish(file)
        assert not account.contacts.exists()
        assert refuses(account, "+522225550117") and not refuses(account, "+522225550118")
        bulk.finish(task)
        assert (task.status, task.changed) == (Status.DONE, 1)

    def test_nor_by_a_merge_into_somebody_whose_turn_is_over(self):
        account = make.account()
        ids = gather(account, 9, "granted")
        task = begin(account, Kind.OPT_OUT, query=ANAS)
        usual, bulk.PART = bulk.PART, 2
        try:
            bulk.advance(task.pk)
        finally:
            bulk.PART = usual
        merging.merge(account, ids[1], ids[6], {}, make.user())
        bulk.finish(task)
        kept = Contact.objects.get(pk=ids[1])
        assert (kept.consent, task.done, task.changed) == (Consent.WITHDRAWN, 3, 3)

    def test_with_the_click_as_its_proof(self):
        account, actor = make.account(), make.user()
        ids = gather(account, 3)
        task = begin(account, Kind.OPT_OUT, ids=ids, actor=actor)
        people.delete(account, ids[:1], actor=make.user())
        entry = ConsentEntry.objects.get(act=Consent.WITHDRAWN)
        assert (entry.happened_at, entry.actor, entry.task, entry.contact) == (task.created_at, actor, task, None)

    def test_but_not_who_said_yes_after_the_click(self):
        account = make.account()
        ids = gather(account, 3)
        person = Contact.objects.get(pk=ids[0])
        begin(account, Kind.OPT_OUT, ids=ids)
        consent.record(person, Consent.GRANTED, source=Source.REPLY, happened_at=timezone.now())
        people.delete(account, [person.pk], actor=make.user())
        assert not refuses(account, person.mobile)

    @pytest.mark.parametrize("kind", [Kind.DELETE, Kind.TAG])
    def test_nor_whom_nobody_wants_out(self, kind):
        account = make.account()
        ids = gather(account, 9)
        begin(account, kind, {"put": ["VIP"], "take": None}, ids=ids[:3])
        begin(account, Kind.OPT_OUT, ids=ids[3:6])
        bulk.stop(begin(account, Kind.OPT_OUT, ids=ids[:3]))
        begin(other := make.account("Otra"), Kind.OPT_OUT, ids=gather(other, 3))
        people.delete(account, [*ids[:3], *ids[6:]], actor=make.user())
        assert not Refusal.objects.exists()

    def test_nor_holds_a_task_up_that_cannot_be_understood(self):
        account = make.account()
        ids = gather(account, 3)
        task = begin(account, Kind.OPT_OUT, query=ANAS)
        task.audience |= {"rules": {"join": "all", "rules": [{"field": "gone", "test": "is", "value": "1"}]}}
        task.save()
        with pytest.raises(rules.Refused):
            rules.load(task.audience["rules"])
        assert people.delete(account, ids, actor=make.user()) == 3


def in_thread(work):
    """Begun, while the caller holds something: a thread and what it raised."""
    raised, started = [], threading.Event()

    def run():
        started.set()
        try:
            work()
        except Exception as error:  # noqa: BLE001 whatever it is, the test tells
            raised.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    thread.join(0.5)
    return thread, raised


@pytest.mark.django_db(transaction=True)
class TestAtTheSameInstant:
    @pytest.mark.parametrize("_round", range(4))
    def test_their_turn(self, _round):
        account, actor = make.account(), make.user()
        ids = gather(account, 40, "granted")
        mobiles = list(account.contacts.values_list("mobile", flat=True))
        task = begin(account, Kind.OPT_OUT, query="")
        assert together(lambda: bulk.advance(task.pk), lambda: people.delete(account, ids, actor=actor)) == []
        bulk.finish(task)
        assert all(refuses(account, mobile) for mobile in mobiles)
        assert (task.done, task.changed) == (40, 40)

    @pytest.mark.parametrize("_round", range(4))
    def test_a_merge(self, _round):
        account, actor = make.account(), make.user()
        ids = gather(account, 6, "granted")
        task = begin(account, Kind.OPT_OUT, query=ANAS)
        assert together(lambda: bulk.finish(task), lambda: merging.merge(account, ids[1], ids[3], {}, actor)) == []
        assert Contact.objects.get(pk=ids[1]).consent == Consent.WITHDRAWN

    def test_a_click_waits_for_who_is_just_being_deleted(self):
        """The control: else it would count somebody of whom nothing is known when their turn comes."""
        account, owner = make.account(), make.user()
        [one] = gather(account, 1)
        with transaction.atomic():
            people.delete(account, [one], actor=owner)
            thread, raised = in_thread(lambda: begin(account, Kind.OPT_OUT, ids=[one], actor=owner))
            assert thread.is_alive()
        thread.join()
        assert [type(error) for error in raised] == [bulk.Refused]

    def test_a_deletion_waits_for_a_click_that_is_being_written(self):
        account, owner = make.account(), make.user()
        [one] = gather(account, 1)
        mobile = Contact.objects.get(pk=one).mobile
        with transaction.atomic():
            begin(account, Kind.OPT_OUT, ids=[one], actor=owner)
            thread, raised = in_thread(lambda: people.delete(account, [one], actor=owner))
            assert thread.is_alive()
        thread.join()
        assert raised == [] and refuses(account, mobile)
