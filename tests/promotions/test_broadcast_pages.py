"""The pages of a broadcast, as a browser asks for them: HTTP in, rows and HTML out."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from pregon.accounts.models import Role
from pregon.contacts.models import Consent, Contact
from pregon.promotions import approvals, audiences, launch
from pregon.promotions.models import Broadcast
from pregon.quota.models import Period
from pregon.sending.models import Batch, Delivery, Message, Status
from tests import make

pytestmark = pytest.mark.django_db


def page(name, broadcast, *more):
    return reverse(f"panel:{name}", args=[broadcast.pk, *more])


def words(response, status=200):
    """The page's text: no tags, single spaces."""
    assert response.status_code == status, response
    html = response.content.decode()
    assert " style=" not in html, "the CSP refuses it"
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def sign(browser, broadcast):
    address = f"{page('broadcast_approve', broadcast)}?seen={approvals.mark(broadcast)}"
    return browser.post(address, {"seen": "on"})


# The whole way


def test_from_a_promotion_to_its_result(owner, browser):
    promotion = make.promotion(owner.account)
    answer = browser.post(reverse("panel:broadcast_new"), {"promotion": promotion.pk})
    broadcast = Broadcast.objects.get()
    assert answer.url == page("broadcast", broadcast)

    review = words(browser.get(answer.url))
    assert "2 lo reciben + 1 omitidas = 3 personas" in review
    assert "1 se omite: mira por qué" in review
    assert "No han aceptado promociones" not in review, "it opens when someone looks"
    assert "US$0.08" in review
    assert "1 de 4" in review

    browser.get(page("broadcast_omissions", broadcast))
    review = words(browser.get(answer.url))
    assert "No han aceptado promociones" in review
    assert "2 de 4" in review

    assert sign(browser, broadcast).status_code == 302
    signed = words(browser.get(answer.url))
    assert "APROBADA" in signed
    assert "Enviar a 2 personas" in signed

    browser.post(page("broadcast_launch", broadcast))
    browser.post(page("broadcast_launch", broadcast))
    assert Batch.objects.get().queued == 2
    assert "El envío va en camino" in words(browser.get(answer.url))

    Message.objects.filter(status=Status.QUEUED).update(status=Status.ACCEPTED, delivery=Delivery.READ)
    Batch.objects.update(queued=0, accepted=2, sent=2, delivered=2, read=2, status="finished")
    result = words(browser.get(answer.url))
    assert "ya está en 2 celulares y 2 personas la leyeron" in result
    assert "Usó 2 del cupo" in result
    broadcast.refresh_from_db()
    assert broadcast.result_seen_at


def test_the_box_is_needed_to_sign(browser, draft):
    answer = browser.post(f"{page('broadcast_approve', draft)}?seen={approvals.mark(draft)}")
    assert "Marca que viste el mensaje antes de firmar" in words(answer, 422)
    draft.refresh_from_db()
    assert draft.approved_at is None


def test_an_older_version_is_not_signed(browser, draft):
    answer = browser.post(f"{page('broadcast_approve', draft)}?seen=1x", {"seen": "on"})
    assert "El mensaje o la lista cambiaron mientras los veías" in words(answer, 422)


def test_sending_without_a_signature_is_refused_with_a_sentence(browser, draft):
    answer = browser.post(page("broadcast_launch", draft), follow=True)
    assert "Falta aprobar la vista previa" in words(answer)
    assert not Batch.objects.exists()


def test_a_lost_signature_says_why(browser, owner, approved):
    tag = make.tag(owner.account, "Centro", Contact.objects.get(name="Ana"))
    browser.post(page("broadcast_audience", approved), {"kind": "tags", "tag": [tag.pk]})
    review = words(browser.get(page("broadcast", approved)))
    assert "La firma anterior se borró. Cambiaste la lista el" in review
    assert "Etiqueta Centro , 1 persona" in review


def test_a_number_connected_later_is_taken(browser, owner, draft):
    Broadcast.objects.update(number=None)
    assert "desde el +52 222 555 0142" in words(browser.get(page("broadcast", draft)))
    sign(browser, draft)
    draft.refresh_from_db()
    assert draft.number == owner.account.numbers.get()


def test_a_draft_follows_the_mode_until_it_is_signed(browser, owner, draft):
    owner.account.practice = True
    owner.account.save()
    assert "Conecta tu número" in words(browser.get(page("broadcast", draft)))
    waba_id = draft.version.template.waba_id
    make.number(owner.account, practice=True, display="+52 000 000 0000", waba_id=waba_id)
    assert "desde el +52 000 000 0000" in words(browser.get(page("broadcast", draft)))
    assert "Meta no cobra" in words(browser.get(page("broadcast", draft)))


# The list of people


def test_people_are_chosen_by_searching_without_a_script(browser, owner, draft):
    ana, eva = (Contact.objects.get(name=name) for name in ("Ana", "Eva"))
    address = page("broadcast_audience", draft)
    found = browser.post(address, {"kind": "contacts", "act": "search", "q": "ana"})
    assert f'value="{ana.pk}"' in found.content.decode()
    assert f'value="{eva.pk}"' not in found.content.decode()
    kept = browser.post(address, {"kind": "contacts", "act": "search", "q": "eva", "pick": [ana.pk]}).content.decode()
    assert f'value="{ana.pk}" checked' in kept
    browser.post(address, {"kind": "contacts", "pick": [ana.pk, eva.pk]})
    draft.refresh_from_db()
    assert audiences.read(draft.audience).ids == (ana.pk, eva.pk)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"kind": "tags"}, "Marca al menos una etiqueta"),
        ({"kind": "contacts"}, "Busca y marca al menos a una persona"),
        ({"kind": "contacts", "pick": ["x", "-1", "9" * 30]}, "Busca y marca al menos a una persona"),
        ({"kind": "nadie"}, "¿A quién?"),
        ({"kind": "tags", "tag": ["999999999"]}, "999999999"),
    ],
)
def test_a_list_of_nobody(browser, draft, data, sentence):
    assert sentence in words(browser.post(page("broadcast_audience", draft), data))
    draft.refresh_from_db()
    assert audiences.read(draft.audience) == audiences.Definition()


def test_somebody_elses_contacts_are_not_chosen(browser, draft):
    stranger = make.contact(make.account("Otra"))
    answer = browser.post(page("broadcast_audience", draft), {"kind": "contacts", "pick": [stranger.pk]})
    assert "Busca y marca" in words(answer)


def test_many_chosen_people_are_kept_together(browser, owner, draft):
    ids = [make.contact(owner.account).pk for _ in range(101)]
    Broadcast.objects.update(audience=audiences.write(audiences.define("contacts", ids)))
    address = page("broadcast_audience", draft)
    assert "Conservar a las 101 personas ya elegidas" in words(browser.get(address))
    ana = Contact.objects.get(name="Ana")
    browser.post(address, {"kind": "contacts", "keep": "on", "pick": [ana.pk]})
    draft.refresh_from_db()
    assert len(audiences.read(draft.audience).ids) == 102


# Quota, hour, discard


def test_short_quota_offers_a_choice(browser, owner, approved):
    Period.objects.update(limit=1)
    review = words(browser.get(page("broadcast", approved)))
    assert "No alcanza" in review
    assert "Enviar hasta donde alcance: 1" in review
    assert "Te quedan 1 y este envío necesita 2" in words(browser.post(page("broadcast_launch", approved), follow=True))

    browser.post(page("broadcast_quota", approved), {"choice": "fit"})
    assert "ya no son las mismas personas" in words(browser.get(page("broadcast", approved)))  # the signature said 2
    approved.refresh_from_db()
    approvals.approve(approved, owner.user, seen=approvals.mark(approved))
    assert "Enviar a 1 persona" in words(browser.get(page("broadcast", approved)))
    browser.post(page("broadcast_launch", approved))
    assert Batch.objects.get().queued == 1


def test_scheduled_in_the_business_own_hour(browser, owner, approved):
    day = (timezone.localdate() + timedelta(days=3)).isoformat()
    answer = browser.post(page("broadcast_schedule", approved), {"at": f"{day}T10:30"}, follow=True)
    assert "a las 10:30" in words(answer)
    approved.refresh_from_db()
    assert approved.scheduled_for.astimezone(owner.account.zone).isoformat()[:16] == f"{day}T10:30"
    browser.post(page("broadcast_unschedule", approved))
    approved.refresh_from_db()
    assert (approved.status, approved.scheduled_for) == (Broadcast.Status.DRAFT, None)


@pytest.mark.parametrize("at", ["2001-01-01T10:00", "mañana", "", "2026-02-31T10:00"])
def test_an_hour_that_cannot_be(browser, approved, at):
    answer = browser.post(page("broadcast_schedule", approved), {"at": at})
    assert re.search("Elige un|Escribe un día", words(answer, 422))
    approved.refresh_from_db()
    assert approved.status == Broadcast.Status.DRAFT


def test_a_waiting_one_says_what_it_waits_for(browser, owner, approved):
    Broadcast.objects.update(status="scheduled", scheduled_for=timezone.now() - timedelta(minutes=1))
    Period.objects.update(limit=1)
    launch.launch_due(approved.pk)
    assert "espera tu decisión. Te quedan 1" in words(browser.get(page("broadcast", approved)))
    assert "Te quedan 1" in words(browser.get(reverse("panel:broadcasts")))


def test_discard(browser, draft):
    assert "Descartamos el envío" in words(browser.post(page("broadcast_discard", draft), follow=True))
    assert "Este envío se descartó" in words(browser.get(page("broadcast", draft)))


def test_a_plan_without_the_module_sends_nothing_and_hides_nothing(browser, owner, approved):
    owner.account.subscription.plan = make.plan("basico")
    owner.account.subscription.save()
    assert browser.post(page("broadcast_launch", approved)).status_code == 403
    assert browser.get(page("broadcast", approved)).status_code == 200
    with pytest.raises(launch.Refused, match="Tu plan no incluye"):
        launch.launch(approved, owner.user)


# Who may


GETS = ["broadcast", "broadcast_audience", "broadcast_list", "broadcast_omissions"]
POSTS = [
    "broadcast_quota", "broadcast_approve", "broadcast_launch", "broadcast_schedule", "broadcast_unschedule", "broadcast_discard",
]  # fmt: skip
LATER = [
    "broadcast_card", "broadcast_sentence", "broadcast_export", "broadcast_poster", "broadcast_pause", "broadcast_resume",
    "broadcast_cancel", "broadcast_retry",
]  # fmt: skip


def test_strangers_find_nothing(draft, launched):
    stranger = make.signed_in(make.business(name="Otra"))
    for name in GETS:
        assert stranger.get(page(name, draft)).status_code == 404, name
    for name in POSTS:
        assert stranger.post(page(name, draft), {"seen": "on", "at": "2027-01-01T10:00"}).status_code == 404, name
    for name in LATER:
        way = stranger.get if name in LATER[:4] else stranger.post
        assert way(page(name, launched)).status_code == 404, name
    for name, more in (("broadcast_bucket", "failed"), ("broadcast_omitted", "baja")):
        assert stranger.get(page(name, launched, more)).status_code == 404
    foreign = {"promotion": draft.promotion_id}
    assert stranger.post(reverse("panel:broadcast_new"), foreign).status_code == 404
    assert draft.promotion.name not in words(stranger.get(reverse("panel:broadcasts")))


def test_signed_out_people_sign_in_first(client, draft):
    for name in GETS:
        assert client.get(page(name, draft)).status_code == 302


def status_for(account, role, name, broadcast, data=None):
    browser = make.signed_in(make.member(account, role))
    return browser.post(page(name, broadcast), data or {}).status_code


@pytest.mark.parametrize(
    "name", ["broadcast_approve", "broadcast_launch", "broadcast_schedule", "broadcast_unschedule"]
)
def test_only_managers_approve_and_send(owner, approved, name):
    assert status_for(owner.account, Role.EDITOR, name, approved) == 403
    assert status_for(owner.account, Role.MANAGER, name, approved) in (302, 422)


@pytest.mark.parametrize("name", ["broadcast_quota", "broadcast_discard", "broadcast_audience"])
def test_viewers_only_look(owner, draft, name):
    assert status_for(owner.account, Role.VIEWER, name, draft, {"kind": "all"}) == 403
    viewer = make.signed_in(make.member(owner.account, Role.VIEWER))
    review = words(viewer.get(page("broadcast", draft)))
    assert "Falta la firma" in review
    assert "Firmar y aprobar" not in review
    assert status_for(owner.account, Role.EDITOR, name, draft, {"kind": "all"}) == 302


def test_ids_that_are_none(browser):
    for data in ({}, {"promotion": "x"}, {"promotion": "9" * 40}, {"promotion": "1"}):
        assert browser.post(reverse("panel:broadcast_new"), data).status_code == 404
    assert browser.get("/envios/999999/").status_code == 404
    assert browser.get(reverse("panel:broadcasts") + "?before=x").status_code == 200


# How many queries


def test_pages_take_a_fixed_number_of_queries(browser, owner, draft, launched, django_assert_max_num_queries):
    for _ in range(30):
        make.contact(owner.account, consent=Consent.UNKNOWN)
        make.broadcast(owner.account, draft.promotion)
    Batch.objects.update(queued=0, accepted=2)
    browser.get(reverse("panel:broadcasts"))
    pages = {
        reverse("panel:broadcasts"): 10, page("broadcast", draft): 24, page("broadcast", launched): 16,
        page("broadcast_omitted", draft, "sin_permiso"): 12, page("broadcast_bucket", launched, "omitted"): 10,
        page("broadcast_audience", draft): 14,
    }  # fmt: skip
    for address, most in pages.items():
        with django_assert_max_num_queries(most):
            assert browser.get(address).status_code == 200


def test_the_list_goes_on_page_by_page(browser, owner, draft):
    assert "Aún no has enviado nada" not in words(browser.get(reverse("panel:broadcasts")))
    for _ in range(26):
        make.broadcast(owner.account, draft.promotion)
    first = browser.get(reverse("panel:broadcasts")).content.decode()
    following = re.search(r'href="([^"]*before=\d+)"', first)[1]
    assert f"/envios/{draft.pk}/" not in first
    assert f"/envios/{draft.pk}/" in browser.get(following).content.decode()
