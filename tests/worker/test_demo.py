"""The demo business: complete, the same the second time, and connected to a real simulator."""

from typing import Any

import pytest
from django.core.management import call_command

from pregon.accounts.models import Account, User
from pregon.contacts.models import Consent
from pregon.promotions import drafts
from pregon.simulator.app import Simulator
from pregon.whatsapp import problems
from pregon.worker import demo, demo_people
from tests import make
from tests.whatsapp.conftest import simulator  # noqa: F401 the fixture

pytestmark = pytest.mark.django_db


@pytest.fixture
def _plan() -> None:
    make.plan("profesional")


@pytest.mark.usefixtures("_plan")
def test_a_bakery_that_can_send_at_once_and_is_made_once(simulator: Simulator, capsys: Any) -> None:  # noqa: F811
    call_command("seed_demo")
    account = Account.objects.get()
    before = [
        (name, getattr(account, name).count())
        for name in ("contacts", "members", "numbers", "templates", "promotions", "periods", "imports")
    ]
    consents = {consent: account.contacts.filter(consent=consent).count() for consent in Consent}
    assert sum(consents.values()) == account.contacts.count() >= 300
    assert min(consents.values()) > 10
    assert account.contacts.exclude(mobile_problem="").count() == len(demo_people.INCOMPLETE) + len(
        demo_people.IMPOSSIBLE
    )
    assert account.contacts.filter(mobile="+522225550008", consent=Consent.GRANTED).exists()
    assert account.practice
    version = drafts.latest(account.promotions.get())
    assert drafts.ready(version) == []
    call_command("seed_demo")
    assert before == [(name, getattr(account, name).count()) for name, _ in before]
    assert demo.OWNER in capsys.readouterr().out


@pytest.mark.usefixtures("_plan")
def test_owner_and_staff_sign_in_with_the_kept_password() -> None:
    secret = demo.seed()
    assert secret == demo.password()
    owner, staff = User.objects.get(email=demo.OWNER), User.objects.get(email=demo.STAFF)
    assert owner.check_password(secret)
    assert not owner.is_staff
    assert staff.check_password(secret)
    assert staff.is_staff
    path = demo.settings.PREGON_HOME / "secrets" / "demo_password"
    assert path.stat().st_mode & 0o077 == 0
    owner.set_password("otra")
    owner.save()
    demo.seed()
    owner.refresh_from_db()
    assert owner.check_password(secret)


@pytest.mark.usefixtures("_plan")
def test_a_practice_whatsapp_that_does_not_answer_is_told(settings: Any) -> None:
    settings.SIMULATOR_URL = "http://127.0.0.1:9"
    with pytest.raises(problems.MetaProblem, match="No pudimos llegar"):
        demo.seed(wait=0)
    assert Account.objects.get().contacts.exists()


def test_the_sheet_is_always_the_same() -> None:
    assert demo_people.rows() == demo_people.rows()
    assert demo_people.sheet(demo_people.rows()).startswith("\ufeffNombre,Celular".encode())
