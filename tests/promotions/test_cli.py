"""`pregon send` and `pregon results`."""

import json

import pytest
from click.testing import CliRunner

from pregon.contacts import segments
from pregon.contacts.models import Consent
from pregon.contacts.rules import Group, Rule
from pregon.promotions import cli
from pregon.promotions.models import Broadcast
from pregon.sending.models import Batch
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    member = make.business()
    make.tag(member.account, "Centro", make.contact(member.account, "Ana"))
    make.contact(member.account, "Eva")
    make.contact(member.account, "Sin permiso", consent=Consent.UNKNOWN)
    make.promotion(member.account, "Charolas")
    return member


def run(command, *arguments, **options):
    return CliRunner().invoke(command, list(arguments), **options)


def test_send_shows_asks_and_sends(owner):
    answer = run(cli.send, "charolas", input="y\n")
    assert answer.exit_code == 0, answer.output
    assert "2  lo reciben" in answer.output
    assert "1  Sin permiso" in answer.output
    assert "3  personas" in answer.output
    assert "en camino" in answer.output
    broadcast = Broadcast.objects.get()
    assert (broadcast.approved_by, broadcast.approved_count, broadcast.batch.queued) == (owner.user, 2, 2)


def test_whoever_says_no_sends_nothing(owner):
    assert run(cli.send, "Charolas", input="n\n").exit_code == 1
    assert not Batch.objects.exists()
    assert Broadcast.objects.get().status == Broadcast.Status.DISCARDED


def test_send_to_a_tag_at_a_time(owner):
    answer = run(cli.send, "Charolas", "--tag", "centro", "--at", "2031-01-01 10:00", "--yes")
    assert "No" not in answer.output
    assert "Elige una hora" in answer.output, "not years ahead"
    assert answer.exit_code == 1


@pytest.mark.parametrize("called", ["sin etiqueta", "{pk}"])
def test_send_to_a_segment(owner, called):
    segment = segments.new(owner.account, owner.user)
    rule = Rule("tag", "is_not", owner.account.tags.get().pk)
    segments.save(segment, "Sin etiqueta", Group("all", (rule, Rule("consent", "is", Consent.GRANTED))))
    answer = run(cli.send, "Charolas", "--segment", called.format(pk=segment.pk), "--yes")
    assert answer.exit_code == 0, answer.output
    assert "Segmento Sin etiqueta" in answer.output
    assert list(Batch.objects.get().messages.values_list("name", flat=True)) == ["Eva"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["Nada"], "No hay una sola promoción"),
        (["Charolas", "--tag", "Sur"], "Esa etiqueta no existe. Tienes: Centro"),
        (["Charolas", "--segment", "Sur"], "No hay un solo segmento con ese nombre. Usa su número.\n"),
        (["Charolas", "--segment", "Sur", "--tag", "Centro"], "no las dos cosas"),
        (["Charolas", "--account", "nadie@example.com"], "Di de qué negocio"),
    ],
)
def test_a_slip_gets_a_sentence(owner, arguments, sentence):
    answer = run(cli.send, *arguments, "--yes")
    assert answer.exit_code == 1
    assert sentence in answer.output


def test_several_businesses_must_be_told_apart(owner):
    other = make.business(name="Otra")
    assert "Di de qué negocio" in run(cli.send, "Charolas", "--yes").output
    assert run(cli.send, "Charolas", "--yes", "--account", owner.user.email).exit_code == 0
    broadcast = Broadcast.objects.get()
    assert "no existe" in run(cli.results, str(broadcast.pk), "--account", str(other.account_id)).output


def test_results_as_words_and_as_json(owner):
    run(cli.send, "Charolas", "--yes")
    pk = str(Broadcast.objects.get().pk)
    words = run(cli.results, pk).output
    assert "2  En espera" in words
    assert "1  · Sin permiso" in words
    assert "3  Personas" in words
    data = json.loads(run(cli.results, pk, "--json").output)
    assert data["people"] == sum(data["buckets"].values()) == 3
    assert data["omitted"] == {"sin_permiso": 1}
