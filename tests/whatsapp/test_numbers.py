"""Connecting a number: what Meta says is kept, what it refuses is told, and then nothing is saved."""

import json
from pathlib import Path

import pytest
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from pregon.accounts.models import Role
from pregon.lib import crypto
from pregon.simulator.app import Simulator
from pregon.simulator.world import Number as PracticeNumber
from pregon.webhooks import routing
from pregon.whatsapp import jobs, numbers, practice, problems
from pregon.whatsapp.cloud import events
from pregon.whatsapp.models import Number, Quality
from tests import make

PAYLOADS = Path(__file__).parents[1] / "payloads"
PHONE, WABA, TOKEN = practice.SAMPLE_NUMBER, practice.SAMPLE_WABA, practice.TOKEN
pytestmark = pytest.mark.django_db


def test_a_number_is_kept_as_meta_describes_it(simulator: Simulator) -> None:
    account = make.account()
    number = numbers.connect(account, f" {PHONE} ", WABA, TOKEN)
    number.refresh_from_db()
    assert number.display == "+52 222 555 0142"
    assert number.verified_name == "Panadería La Espiga"
    assert (number.quality, number.mps, number.portfolio.daily_limit) == (Quality.GREEN, 80, 2_000)
    assert not number.practice
    assert numbers.active(account) == number


def test_its_token_is_encrypted_at_rest(simulator: Simulator) -> None:
    number = numbers.connect(make.account(), PHONE, WABA, TOKEN)
    stored = Number.objects.values_list("token_encrypted", flat=True).get(pk=number.pk)
    assert TOKEN not in stored
    assert Number.objects.get(pk=number.pk).token == TOKEN
    with pytest.raises(crypto.DecryptionError):
        crypto.decrypt(stored, ["another key, long enough to be one"])


@pytest.mark.parametrize(
    ("phone", "waba", "token", "sentence"),
    [
        (PHONE, WABA, "no-es-un-token", "no reconoce|venció|conexión"),
        ("999999999999", WABA, TOKEN, "no encuentra ese identificador de número"),
        (PHONE, "888888888888", TOKEN, "no encuentra esa cuenta"),
    ],
)
def test_a_mistake_is_told_and_saves_nothing(
    simulator: Simulator, phone: str, waba: str, token: str, sentence: str
) -> None:
    with pytest.raises(problems.MetaProblem, match=sentence) as problem:
        numbers.connect(make.account(), phone, waba, token)
    assert problem.value.step
    assert token == TOKEN or token not in str(problem.value)
    assert not Number.objects.exists()


def test_a_number_of_another_whatsapp_account_is_told(simulator: Simulator) -> None:
    simulator.world.numbers["5550001112223"] = PracticeNumber("5550001112223", "+52 222 555 0143", "777000111", "Otra")
    simulator.world.wabas["777000111"] = type(simulator.world.wabas[WABA])("777000111", "Otra")
    with pytest.raises(problems.MetaProblem, match="no es de esa cuenta"):
        numbers.connect(make.account(), "5550001112223", WABA, TOKEN)


def test_meta_down_is_told_and_saves_nothing(settings: object) -> None:
    settings.GRAPH_URL = "http://127.0.0.1:9"  # type: ignore[attr-defined] nobody listens on the discard port
    with pytest.raises(problems.MetaProblem, match="No pudimos llegar a Meta"):
        numbers.connect(make.account(), PHONE, WABA, TOKEN)
    assert not Number.objects.exists()


def test_connecting_again_replaces_the_token_and_another_business_cannot_take_it(simulator: Simulator) -> None:
    account = make.account()
    first = numbers.connect(account, PHONE, WABA, TOKEN)
    simulator.world.settings.tokens["otro"] = "*"
    assert numbers.connect(account, PHONE, WABA, "otro").pk == first.pk
    assert Number.objects.get(pk=first.pk).token == "otro"
    with pytest.raises(problems.MetaProblem, match="otro negocio"):
        numbers.connect(make.account(), PHONE, WABA, TOKEN)


def test_connecting_again_lets_a_stopped_number_go_on(simulator: Simulator) -> None:
    number = numbers.connect(make.account(), PHONE, WABA, TOKEN)
    Number.objects.update(stopped_at=number.created_at, stop_reason="El permiso de conexión con Meta venció")
    assert numbers.connect(number.account, PHONE, WABA, TOKEN).stopped_at is None
    number.refresh_from_db()
    assert (number.stopped_at, number.stop_reason) == (None, "")


def test_a_refresh_overwrites_nothing_that_happened_while_meta_was_asked(simulator: Simulator) -> None:
    before = numbers.connect(make.account(), PHONE, WABA, TOKEN)
    simulator.world.settings.tokens["otro"] = "*"
    numbers.connect(before.account, PHONE, WABA, "otro")
    Number.objects.update(stopped_at=before.created_at, stop_reason="Meta bloqueó la cuenta por un tiempo")
    numbers.refresh(before)
    now = Number.objects.get(pk=before.pk)
    assert (now.token, now.stop_reason) == ("otro", "Meta bloqueó la cuenta por un tiempo")


def test_a_refresh_brings_what_changed_at_meta(simulator: Simulator) -> None:
    number = numbers.connect(make.account(), PHONE, WABA, TOKEN)
    there = simulator.world.numbers[PHONE]
    there.quality, there.tier, there.status = "RED", "TIER_UNLIMITED", "FLAGGED"
    number = numbers.refresh(number)
    assert (number.quality, number.status, number.portfolio.daily_limit) == (Quality.RED, "FLAGGED", None)


@pytest.mark.parametrize(
    ("payload", "meta", "ours"),
    [
        ("account_capability", {"tier": "TIER_10K"}, (10_000, 80)),
        ("account_capability", {"tier": "TIER_UNLIMITED"}, (None, 80)),
        ("number_throughput_upgrade", {"mps": 1_000}, (2_000, 1_000)),
        ("number_throughput_upgrade", {"on_app": True}, (2_000, 20)),
    ],
)
def test_a_webhook_brings_the_limit_and_the_pace(
    simulator: Simulator, payload: str, meta: dict[str, object], ours: tuple[int | None, int]
) -> None:
    """The webhook only says that something changed; Meta is asked what."""
    number = numbers.connect(make.account(), PHONE, WABA, TOKEN)
    for name, value in meta.items():
        setattr(simulator.world.numbers[PHONE], name, value)
    webhook = json.loads((PAYLOADS / f"{payload}.json").read_bytes())
    routing.route(events.parse(webhook))
    [job] = ProcrastinateJob.objects.filter(task_name="whatsapp:sync", args={"number_id": number.pk})
    jobs.sync(**job.args)
    number = Number.objects.select_related("portfolio").get(pk=number.pk)
    assert (number.portfolio.daily_limit, number.mps) == ours


@pytest.mark.parametrize(
    ("phone", "mps"),
    [
        ({"throughput": {"level": "STANDARD"}}, 80),
        ({"throughput": {"level": "HIGH"}, "is_on_biz_app": False}, 1_000),
        ({"throughput": {"level": "STANDARD"}, "is_on_biz_app": True}, 20),
        ({"throughput": {"level": "NOT_APPLICABLE"}}, 80),
        ({}, 80),
    ],
)
def test_the_pace_in_metas_words(phone: dict[str, object], mps: int) -> None:
    assert numbers.pace(phone) == mps


def test_practice_numbers_share_nobodys_limit(simulator: Simulator) -> None:
    first, second = make.account("Una"), make.account("Otra")
    for account in (first, second):
        practice.switch(account, on=True)
    mine, other = numbers.active(first), numbers.active(second)
    assert mine and other and mine.portfolio != other.portfolio
    assert mine.portfolio.daily_limit == 2_000


@pytest.mark.parametrize(
    ("word", "limit"),
    [
        ("TIER_250", 250),
        ("TIER_2K", 2_000),
        ("TIER_100K", 100_000),
        ("TIER_UNLIMITED", None),
        ("", 250),
        ("TIER_NEW", 250),
    ],
)
def test_the_daily_limit_in_metas_words(word: str, limit: int | None) -> None:
    assert numbers.daily_limit(word) == limit


def test_practice_gives_every_business_a_number_of_its_own(simulator: Simulator) -> None:
    first, second = make.account("Una"), make.account("Otra")
    for account in (first, second):
        practice.switch(account, on=True)
    mine, other = numbers.active(first), numbers.active(second)
    assert mine and other
    assert mine.practice
    assert mine.phone_number_id != other.phone_number_id
    assert first.templates.filter(waba_id=mine.waba_id, status="APPROVED").count() == 3
    assert not first.templates.filter(waba_id=other.waba_id).exists()


def test_practice_is_left_and_taken_up_again_with_the_same_number(simulator: Simulator) -> None:
    account = make.account()
    practice.switch(account, on=True)
    number = numbers.active(account)
    practice.switch(account, on=False)
    assert numbers.active(account) is None
    practice.switch(account, on=True)
    assert numbers.active(account) == number


def test_without_a_simulator_there_is_no_practice(settings: object) -> None:
    settings.SIMULATOR_URL = ""  # type: ignore[attr-defined]
    account = make.account()
    with pytest.raises(problems.MetaProblem, match="no tiene modo práctica"):
        practice.switch(account, on=True)
    account.refresh_from_db()
    assert not account.practice


def test_a_webhook_about_the_account_makes_us_ask_once() -> None:
    number = make.number(make.account())
    event = events.AccountEvent(number.waba_id, "account_update", "ACCOUNT_RESTRICTION", {})
    jobs.heard(event)
    jobs.heard(event)
    assert ProcrastinateJob.objects.filter(task_name="whatsapp:sync", args={"number_id": number.pk}).count() == 1


def test_the_hourly_job_asks_for_every_number_and_a_refusal_is_no_crash(simulator: Simulator) -> None:
    number = numbers.connect(make.account(), PHONE, WABA, TOKEN)
    simulator.world.numbers[PHONE].quality = "YELLOW"
    jobs.sync(number_id=number.pk)
    number.refresh_from_db()
    assert number.quality == Quality.YELLOW
    simulator.world.settings.tokens.clear()
    jobs.sync(number_id=number.pk)
    jobs.sync(number_id=number.pk + 1)


def test_the_page_connects_and_brings_the_templates(simulator: Simulator) -> None:
    owner = make.member(make.account())
    form = {"phone_number_id": PHONE, "waba_id": WABA, "token": TOKEN}
    page = make.signed_in(owner).post(reverse("panel:settings_number_new"), form, follow=True)
    assert page.status_code == 200
    text = page.content.decode()
    assert "+52 222 555 0142" in text
    assert "promo_general" in text


def test_the_page_says_what_is_wrong_and_forgets_the_token(simulator: Simulator) -> None:
    owner = make.member(make.account())
    form = {"phone_number_id": PHONE, "waba_id": WABA, "token": "no-es-un-token"}
    page = make.signed_in(owner).post(reverse("panel:settings_number_new"), form)
    assert page.status_code == 422
    assert "No se guardó nada" in page.content.decode()
    assert "no-es-un-token" not in page.content.decode()
    page = make.signed_in(owner).post(
        reverse("panel:settings_number_new"), {"phone_number_id": "+52 222", "waba_id": "", "token": ""}
    )
    assert page.status_code == 422


def test_a_stopped_number_goes_on_once_meta_answers_for_it(simulator: Simulator) -> None:
    owner = make.member(make.account())
    number = numbers.connect(owner.account, PHONE, WABA, TOKEN)
    Number.objects.filter(pk=number.pk).update(
        stopped_at=number.created_at, stop_reason="El permiso de conexión con Meta venció"
    )
    client, check = make.signed_in(owner), reverse("panel:settings_number_check", args=[number.pk])
    assert "El permiso de conexión con Meta venció" in client.get(reverse("panel:settings")).content.decode()
    tokens = dict(simulator.world.settings.tokens)
    simulator.world.settings.tokens.clear()
    client.post(check)
    number.refresh_from_db()
    assert number.stopped_at
    simulator.world.settings.tokens.update(tokens)
    client.post(check)
    number.refresh_from_db()
    assert (number.stopped_at, number.stop_reason) == (None, "")


@pytest.mark.parametrize(
    ("role", "new", "check"), [(Role.OWNER, 200, 302), (Role.MANAGER, 403, 302), (Role.EDITOR, 403, 403)]
)
def test_only_the_owner_connects(role: Role, new: int, check: int, settings: object) -> None:
    settings.GRAPH_URL = "http://127.0.0.1:9"  # type: ignore[attr-defined]
    member = make.member(make.account(), role)
    number = make.number(member.account)
    client = make.signed_in(member)
    assert client.get(reverse("panel:settings_number_new")).status_code == new
    assert client.post(reverse("panel:settings_number_check", args=[number.pk])).status_code == check
    stranger = make.signed_in(make.member(make.account()))
    assert stranger.post(reverse("panel:settings_number_check", args=[number.pk])).status_code == 404
