"""Who looks like one person, and who does not."""

import pytest

from pregon.contacts import likeness
from pregon.contacts.likeness import Seen, Why


def whole(name, mobile="", email=""):
    return Seen(name, mobile, True, email)


def part(name, digits, email=""):
    return Seen(name, digits, False, email)


LUCIA = whole("lucia mendoza", "522225550142", "lucia@example.com")
ALIKE = [
    (LUCIA, whole("otra", "573001234567", "lucia@example.com"), {Why.EMAIL}),
    (LUCIA, whole("lucia mendoza", "522225550143"), {Why.NEAR_NUMBER, Why.NAME}),
    (LUCIA, whole("mendoza lucia", "522225550124"), {Why.NEAR_NUMBER, Why.NAME}),
    (LUCIA, whole("lucia mendosa", "522225550942"), {Why.NEAR_NUMBER, Why.NEAR_NAME}),
    (LUCIA, whole("lucia mendoza rojas", "522225555142"), {Why.NEAR_NUMBER, Why.NEAR_NAME}),
    (LUCIA, whole("lucia", "522215550142"), {Why.NEAR_NUMBER, Why.NEAR_NAME}),
    (LUCIA, whole("lucia mendoza", "5725550142"), {Why.NEAR_NUMBER, Why.NAME}),
    (LUCIA, part("lucia mendoza", "22255501"), {Why.NEAR_NUMBER, Why.NAME}),
    (LUCIA, part("lucia mendoza", "5550142"), {Why.NEAR_NUMBER, Why.NAME}),
    (LUCIA, part("lucia mendoza", "222550142"), {Why.NEAR_NUMBER, Why.NAME}),
    (LUCIA, part("lucia mendoza", "+522225550142"[1:]), {Why.NUMBER, Why.NAME}),
    (part("", "5550142"), part("", "5550142"), {Why.NUMBER}),
]
UNLIKE = [
    (LUCIA, whole("pedro ramos", "522225550143")),  # a family: one number after the other
    (LUCIA, whole("lucia mendoza", "522225550199")),
    (LUCIA, whole("lucia ramos", "522225550143")),
    (LUCIA, part("lucia mendoza", "50142")),
    (whole("", "522225550142"), whole("", "522225550143")),
    (part("ana", "0000000000"), part("ana", "0000000000")),
    (whole("ana", "522225550142"), whole("eva", "522225550143")),
]


@pytest.mark.parametrize(("one", "other", "why"), ALIKE)
def test_alike(one, other, why):
    for found in (likeness.find(one, other), likeness.find(other, one)):
        assert found is not None
        assert {*found.why} == why
        assert 0 < found.score < 100


@pytest.mark.parametrize(("one", "other"), UNLIKE)
def test_unlike(one, other):
    assert likeness.find(one, other) is None
    assert likeness.find(other, one) is None


def test_more_that_agrees_is_surer():
    email = likeness.find(LUCIA, whole("otra", "573001234567", "lucia@example.com"))
    number = likeness.find(LUCIA, whole("lucia mendoza", "522225550143"))
    first_name = likeness.find(whole("lucia", "522225550142"), whole("lucia", "522225550143"))
    both = likeness.find(LUCIA, whole("lucia mendoza", "522225550143", "lucia@example.com"))
    assert email.score < number.score < both.score
    assert first_name.score < number.score
