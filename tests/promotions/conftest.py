"""A business with three people, one of whom gave no permission, and its broadcast at each of its stages; the simulator."""

import pytest

from pregon.contacts.models import Consent
from pregon.promotions import launch
from tests import make
from tests.whatsapp.conftest import simulator

__all__ = ["simulator"]


@pytest.fixture
def owner():
    make.rates()
    member = make.business()
    make.contact(member.account, "Ana")
    make.contact(member.account, "Eva")
    make.contact(member.account, "Sin permiso", consent=Consent.UNKNOWN)
    return member


@pytest.fixture
def browser(owner):
    return make.signed_in(owner)


@pytest.fixture
def draft(owner):
    return make.broadcast(owner.account)


@pytest.fixture
def approved(owner):
    return make.broadcast(owner.account, approved_by=owner.user)


@pytest.fixture
def launched(owner, approved):
    launch.launch(approved, owner.user)
    approved.refresh_from_db()
    return approved
