"""The page of a test to one's own phone: what it asks, what became of it, and whose it is."""

from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from pregon.accounts.models import Role
from pregon.contacts.models import Contact
from pregon.promotions import trials
from pregon.promotions.models import Trial
from pregon.sending import replies
from pregon.sending.models import Delivery, Message, Status
from tests import make
from tests.promotions.test_broadcast_pages import page, words
from tests.sending.test_replies import says

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make.business()


@pytest.fixture
def browser(owner):
    return make.signed_in(owner)


def trial(promotion):
    return reverse("panel:promotion_trial", args=[promotion.pk])


def test_a_test_and_what_became_of_it(owner, browser):
    make.proved(owner, "+522225550199")
    promotion = make.promotion(owner.account)
    assert trial(promotion) in browser.get(reverse("panel:promotion", args=[promotion.pk])).content.decode()
    asked = words(browser.get(trial(promotion)))
    assert "Es mi celular y acepto recibir aquí pruebas" in asked
    assert "Usa 1 mensaje de tu cupo" in asked

    given = {"token": uuid4(), "mobile": "222 555 0199", "mine": "on"}
    for _ in range(2):
        answer = browser.post(trial(promotion), given, follow=True)
    assert "Va a tu celular" in words(answer)
    assert Trial.objects.count() == Message.objects.count() == 1
    again = browser.get(trial(promotion))
    assert "Es mi celular" not in words(again), "asked once"
    assert "+52 222 555 0199" in again.content.decode()

    live = reverse("panel:promotion_trials", args=[promotion.pk])
    assert "every 2s" in browser.get(live).content.decode()
    for delivery, said in (
        (Delivery.NONE, "Meta la aceptó"),
        (Delivery.DELIVERED, "Entregado"),
        (Delivery.READ, "Leído"),
    ):
        Message.objects.update(status=Status.ACCEPTED, delivery=delivery)
        assert said in words(browser.get(live))
    assert "every 2s" not in browser.get(live).content.decode()
    Message.objects.update(status=Status.FAILED, delivery=0, error_code=131026)
    assert "Fallidos" in words(browser.get(live))


def test_a_phone_shows_by_a_code_that_it_is_ones_own(owner, browser):
    promotion = make.promotion(owner.account)
    given = {"token": uuid4(), "mobile": "222 555 0199", "mine": "on"}
    answer = browser.post(trial(promotion), given)
    code = trials.code(owner, Contact(mobile="+522225550199"))
    assert f"manda {code} por WhatsApp desde ese celular a tu número +52 222 555 0142" in words(answer, 422)
    assert f'href="https://wa.me/522225550142?text={code}"' in answer.content.decode()
    assert not Trial.objects.exists()
    number = owner.account.numbers.get()
    replies.receive([says(number, code, sender="5212225550199", at=timezone.now())])
    assert "Va a tu celular" in words(browser.post(trial(promotion), given, follow=True))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"mine": ""}, "Marca que es tu celular"),
        ({"mobile": "12"}, "dígito"),
        ({"mobile": ""}, ""),
        ({"token": "x"}, ""),
    ],
)
def test_a_test_that_cannot_be(owner, browser, wrong, sentence):
    promotion = make.promotion(owner.account)
    given = {"token": uuid4(), "mobile": "222 555 0199", "mine": "on"} | wrong
    assert sentence in words(browser.post(trial(promotion), given), 422)
    assert not Trial.objects.exists()


def test_another_number_is_asked_about_again(owner, browser):
    make.proved(owner, "+522225550199")
    promotion = make.promotion(owner.account)
    browser.post(trial(promotion), {"token": uuid4(), "mobile": "222 555 0199", "mine": "on"})
    answer = browser.post(trial(promotion), {"token": uuid4(), "mobile": "222 555 0188"})
    assert "Marca que es tu celular" in words(answer, 422)
    assert Trial.objects.count() == 1


def test_tests_are_ones_own(owner, browser):
    promotion = make.promotion(owner.account)
    batch = make.batch(owner.account, promotion)
    make.message(batch, make.contact(owner.account, mobile="+525511112222"))
    given = {"account": owner.account, "member": owner, "batch": batch, "token": uuid4()}
    Trial.objects.create(version=promotion.versions.get(), **given)
    live = reverse("panel:promotion_trials", args=[promotion.pk])
    assert "+52 55 1111 2222" in words(browser.get(live))
    colleague = make.signed_in(make.member(owner.account, Role.EDITOR))
    for address in (live, trial(promotion)):
        assert "1111 2222" not in words(colleague.get(address))


def test_from_a_review_and_back(owner, browser):
    broadcast = make.broadcast(owner.account)
    review = page("broadcast", broadcast)
    link = f"{trial(broadcast.promotion)}?broadcast={broadcast.pk}"
    assert link in browser.get(review).content.decode()
    assert f'href="{review}"' in browser.get(link).content.decode()
    other = make.broadcast(make.business().account)
    assert (
        page("broadcast", other)
        not in browser.get(f"{trial(broadcast.promotion)}?broadcast={other.pk}").content.decode()
    )


def test_tests_are_for_who_prepares_promotions(owner):
    promotion = make.promotion(owner.account)
    live = reverse("panel:promotion_trials", args=[promotion.pk])
    for address in (trial(promotion), live):
        assert make.signed_in(make.member(owner.account, Role.VIEWER)).get(address).status_code == 403
        assert make.signed_in(make.business()).get(address).status_code == 404
        assert make.signed_in(make.member(owner.account, Role.EDITOR)).get(address).status_code == 200


def test_the_page_takes_a_fixed_number_of_queries(owner, browser, django_assert_max_num_queries):
    make.proved(owner, "+522225550199")
    promotion = make.promotion(owner.account)
    browser.post(trial(promotion), {"token": uuid4(), "mobile": "222 555 0199", "mine": "on"})
    for _ in range(6):
        browser.post(trial(promotion), {"token": uuid4(), "mobile": "222 555 0199"})
    for address, most in ((trial(promotion), 20), (reverse("panel:promotion_trials", args=[promotion.pk]), 8)):
        with django_assert_max_num_queries(most):
            assert browser.get(address).status_code == 200
