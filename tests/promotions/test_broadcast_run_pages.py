"""The pages of a broadcast that is on its way, or was: while its list is frozen, while it runs, and its result."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from pregon.accounts.models import Role
from pregon.contacts.models import Consent, Contact
from pregon.promotions import launch
from pregon.promotions.models import Broadcast, Way
from pregon.sending.models import Batch, Delivery, Message, Status
from pregon.whatsapp.models import Portfolio
from tests import make
from tests.promotions.test_broadcast_pages import page, words

pytestmark = pytest.mark.django_db


# While a long list is frozen


@pytest.fixture
def launching(approved):
    Broadcast.objects.filter(pk=approved.pk).update(status="launching", frozen=50_000, to_freeze=120_000)
    return approved


def test_the_page_tells_how_far_the_launch_is(browser, launching, django_assert_max_num_queries):
    whole = words(browser.get(page("broadcast", launching)))
    assert "Preparando el envío" in whole
    assert "50,000 de 120,000 personas" in whole
    assert "Puedes cerrar esta página" in whole
    assert "Preparando el envío" in words(browser.get(reverse("panel:broadcasts")))
    address = page("broadcast_progress", launching)
    with django_assert_max_num_queries(4):  # session, person, seat, broadcast
        part = browser.get(address, headers={"HX-Request": "true"})
    assert "every 1s" in part.content.decode()
    assert "50,000 de 120,000 personas" in words(part)


def test_before_it_begins_it_tells_what_was_approved(browser, launching):
    Broadcast.objects.update(frozen=0, to_freeze=0)
    assert "0 de 2 personas" in words(browser.get(page("broadcast", launching)))


def test_once_launched_the_browser_loads_the_result(browser, launched):
    answer = browser.get(page("broadcast_progress", launched), headers={"HX-Request": "true"})
    assert answer.headers["HX-Refresh"] == "true"


def test_a_launch_is_called_off(browser, launching):
    browser.post(page("broadcast_call_off", launching))
    launching.refresh_from_db()
    assert launching.status == Broadcast.Status.DRAFT
    assert "Listo para enviar" in words(browser.get(page("broadcast", launching)))
    too_late = words(browser.post(page("broadcast_call_off", launching), follow=True))
    assert "Ya no se está preparando" in too_late


def test_only_who_may_send_calls_it_off(owner, launching):
    editor = make.signed_in(make.member(owner.account, Role.EDITOR))
    assert "No enviar por ahora" not in words(editor.get(page("broadcast", launching)))
    assert editor.post(page("broadcast_call_off", launching)).status_code == 403
    stranger = make.signed_in(make.business())
    assert stranger.post(page("broadcast_call_off", launching)).status_code == 404
    assert stranger.get(page("broadcast_progress", launching)).status_code == 404


def test_nothing_else_is_done_while_it_is_prepared(browser, launching):
    for address in ("broadcast_discard", "broadcast_unschedule", "broadcast_quota"):
        answer = words(browser.post(page(address, launching), {"choice": "fit"}, follow=True))
        assert "ya salió o se descartó" in answer, address
    browser.post(page("broadcast_launch", launching))
    launching.refresh_from_db()
    assert launching.status == Broadcast.Status.LAUNCHING


# While it runs


def test_the_live_card_asks_again_until_it_has_ended(browser, launched):
    running = browser.get(page("broadcast_card", launched), headers={"HX-Request": "true"})
    assert "every 2s" in running.content.decode()
    assert "0 de 2 ya tienen respuesta de Meta" in words(running)
    assert "2 de 2" in words(finish(browser, launched))


def finish(browser, broadcast):
    Batch.objects.update(queued=0, accepted=1, failed=1, status="finished")
    ended = browser.get(page("broadcast_card", broadcast), headers={"HX-Request": "true"})
    assert ended.headers["HX-Refresh"] == "true"
    return browser.get(page("broadcast_sentence", broadcast))


def test_the_live_card_is_cheap(browser, launched, django_assert_max_num_queries):
    """Where Meta limits the people of a day it asks three times more, for what is ahead."""
    Portfolio.objects.update(daily_limit=None)
    address = page("broadcast_card", launched)
    browser.get(address)
    with django_assert_max_num_queries(4):  # session, person, seat, broadcast with its batch
        browser.get(address)


def test_pause_go_on_stop(browser, owner, launched):
    browser.post(page("broadcast_pause", launched))
    browser.post(page("broadcast_pause", launched))
    assert "Lo pausó Lucía Mendoza. Lo que falta sigue reservado" in words(browser.get(page("broadcast", launched)))
    browser.post(page("broadcast_resume", launched))
    assert Batch.objects.get().status == Batch.Status.RUNNING
    browser.post(page("broadcast_cancel", launched))
    browser.post(page("broadcast_cancel", launched))
    batch = Batch.objects.get()
    assert (batch.queued, batch.omitted) == (0, 3)
    assert owner.account.periods.get().reserved == 0
    assert "Detuviste el envío" in words(browser.get(page("broadcast", launched)))


# After


def test_every_bucket_opens_to_its_people(browser, owner, launched):
    ana, eva = Message.objects.filter(status=Status.QUEUED).order_by("position")
    Message.objects.filter(pk=ana.pk).update(status=Status.FAILED, error_code=131026, trace_id="AbC")
    Message.objects.filter(pk=eva.pk).update(status=Status.ACCEPTED, delivery=Delivery.DELIVERED)
    Batch.objects.update(queued=0, accepted=1, failed=1, sent=1, delivered=1, status="finished")

    failed = words(browser.get(page("broadcast_bucket", launched, "failed")))
    assert "Ana" in failed
    assert "Meta 131026 · AbC" in failed
    assert "Eva Entregado" in re.sub(
        r"\+52 [\d ]+", "", words(browser.get(page("broadcast_bucket", launched, "accepted")))
    )
    assert "Sin permiso" in words(browser.get(page("broadcast_bucket", launched, "omitted") + "?reason=sin_permiso"))
    for bucket in ("unconfirmed", "waiting"):
        assert "No hay nadie aquí" in words(browser.get(page("broadcast_bucket", launched, bucket)))
    assert browser.get(page("broadcast_bucket", launched, "nada")).status_code == 404
    assert "1 Fallidos" in words(browser.get(page("broadcast", launched)))


def test_hostile_names_are_only_words(browser, owner):
    promotion = make.promotion(owner.account, "<script>alert(1)</script>{n}")
    make.contact(owner.account, "<b>Eva</b>", consent=Consent.UNKNOWN)
    broadcast = make.broadcast(owner.account, promotion, approved_by=owner.user)
    for _ in range(2):
        for name in ("broadcast", "broadcast_omissions"):
            html = browser.get(page(name, broadcast), follow=True).content.decode()
            assert "<script>alert" not in html
        launch.launch(broadcast, owner.user)
    Batch.objects.update(queued=0, accepted=2, read=2, delivered=2)
    for name, *more in (("broadcast",), ("broadcast_poster",), ("broadcast_bucket", "omitted")):
        html = browser.get(page(name, broadcast, *more)).content.decode()
        assert "<script>alert" not in html
        assert "<b>Eva</b>" not in html


def test_retry_is_offered_only_when_it_can_help(browser, owner, launched):
    Message.objects.filter(status=Status.QUEUED).update(status=Status.FAILED, error_code=131026)
    Batch.objects.update(queued=0, failed=2, status="finished")
    assert "Reintentar" not in words(browser.get(page("broadcast", launched)))
    assert "No queda nadie" in words(browser.post(page("broadcast_retry", launched), follow=True))

    Message.objects.filter(name="Ana").update(status=Status.ACCEPTED, delivery=Delivery.FAILED, error_code=131049)
    assert "Reintentar 1" in words(browser.get(page("broadcast", launched)))
    again = words(browser.post(page("broadcast_retry", launched), follow=True))
    assert "Es un reintento" in again
    assert "1 contacto elegido" in again
    assert "Reintento" in words(browser.get(reverse("panel:broadcasts")))
    first = words(browser.get(page("broadcast", launched)))
    assert "Ya preparaste un reintento. Ver el reintento" in first and "Reintentar 1" not in first


def test_exports_are_csv(browser, draft, launched):
    listing = browser.get(page("broadcast_list", draft))
    text = b"".join(listing.streaming_content).decode("utf-8-sig")
    assert text.splitlines()[0] == "Nombre,Celular,Qué pasará"
    assert len(text.splitlines()) == 4
    result = b"".join(browser.get(page("broadcast_export", launched)).streaming_content).decode("utf-8-sig")
    assert len(result.splitlines()) == 4
    assert "Omitidos,Sin permiso" in result


def test_the_poster_has_no_personal_data(browser, launched):
    Batch.objects.update(queued=0, accepted=2, delivered=1)
    html = browser.get(page("broadcast_poster", launched)).content.decode()
    assert "ya está en <em>1 celular</em>" in html
    assert "Ana" not in words(browser.get(page("broadcast_poster", launched)))


def test_free_text_says_who_is_outside_the_window(browser, owner):
    promotion = make.promotion(owner.account, way=Way.TEXT, detail="Hoy hay pan, *vecino*.", values={}, template=None)
    Contact.objects.filter(name="Ana").update(last_inbound_at=timezone.now())
    broadcast = make.broadcast(owner.account, promotion)
    browser.get(page("broadcast_omissions", broadcast))
    review = words(browser.get(page("broadcast", broadcast)))
    assert "Fuera de ventana" in review
    assert "1 lo reciben + 2 omitidas = 3 personas" in review
