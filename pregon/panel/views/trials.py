"""*Enviarme una prueba*: a promotion on one's own phone, and what became of it."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from pregon.accounts import access, clients
from pregon.accounts.models import Role
from pregon.panel import modules, wording
from pregon.panel.forms.trials import TrialForm
from pregon.panel.views import results_seen
from pregon.panel.views.broadcasts_found import key
from pregon.promotions import drafts, hints, launch, preview, problems, results, trials
from pregon.promotions.models import Promotion, Trial
from pregon.promotions.results import Bucket
from pregon.quota import ledger
from pregon.sending.models import Delivery, Message
from pregon.subscriptions import renewals
from pregon.subscriptions.models import Module

SHOWN = 5
LIVE = timedelta(minutes=10)  # a phone that is off so long is not waited for
TONES = {
    Bucket.ACCEPTED: ("accepted", "circle-check"), Bucket.FAILED: ("failed", ""), Bucket.OMITTED: ("omitted", ""),
    Bucket.UNCONFIRMED: ("waiting", "clock-question"), Bucket.WAITING: ("waiting", "hourglass"),
}  # fmt: skip


@require_http_methods(["GET", "POST"])
@access.member(Role.EDITOR)
@modules.needs_module(Module.WHATSAPP)
def promotion_trial(request: access.Request, pk: int) -> HttpResponse:
    """Of the saved version. `broadcast` in the address is the review one came from."""
    promotion = access.get(request.account.promotions, pk)
    renewals.ensure_period(request.account)
    form = TrialForm(request.member, trials.phone(request.member), request.POST or None)
    if request.method == "POST" and form.is_valid() and _send(request, promotion, form):
        return redirect(request.get_full_path() + "#pruebas")
    return render(
        request, "panel/promotions/trial.html", _page(request, promotion, form), status=422 if form.errors else 200
    )


@require_GET
@access.member(Role.EDITOR)
def promotion_trials(request: access.Request, pk: int) -> HttpResponse:
    """The last tests, every two seconds while one is on its way."""
    promotion = access.get(request.account.promotions, pk)
    return render(request, "panel/promotions/trials.html", _sent(request, promotion))


def _send(request: access.Request, promotion: Promotion, form: TrialForm) -> bool:
    try:
        if form.new_number:
            trials.own(request.member, form.cleaned_data["mobile"], clients.address(request))
        trials.send(request.member, drafts.latest(promotion), form.cleaned_data["token"])
    except launch.Refused as refused:
        form.refuse(refused)
        return False
    messages.success(request, _("Va a tu celular. Usa un mensaje de tu cupo."))
    return True


def _page(request: access.Request, promotion: Promotion, form: TrialForm) -> dict[str, Any]:
    version = drafts.latest(promotion)
    period = ledger.current(request.account)
    shown = preview.render(version, trials.phone(request.member))
    broadcast = request.account.broadcasts.filter(pk=key(request.GET.get("broadcast", "")), promotion=promotion).first()
    return {
        **_sent(request, promotion),
        "form": form,
        "problems": problems.find(version),
        "remaining": period.remaining if period else 0,
        "message": shown,
        "room": hints.room(shown.body),
        "back": _address("broadcast", broadcast.pk) if broadcast else _address("promotion", promotion.pk),
        "broadcast": broadcast,
    }


def _address(name: str, pk: int) -> str:
    return reverse(f"panel:{name}", args=[pk])


def _sent(request: access.Request, promotion: Promotion) -> dict[str, Any]:
    rows = request.member.trials.filter(version__promotion=promotion).order_by("-id")[:SHOWN]
    found = list(rows.select_related("batch", "version"))
    of = {
        message.batch_id: message for message in Message.objects.filter(batch__in=[trial.batch_id for trial in found])
    }
    shown = [_trial(trial, of[trial.batch_id]) for trial in found]
    return {"promotion": promotion, "trials": shown, "live": any(row["live"] for row in shown)}


def _trial(trial: Trial, message: Message) -> dict[str, Any]:
    bucket = results.bucket_of(message)
    tone, icon = TONES[bucket]
    on_its_way = bucket is Bucket.WAITING or (bucket is Bucket.ACCEPTED and message.delivery < Delivery.DELIVERED)
    return {
        "at": trial.created_at,
        "mobile": message.mobile,
        "version": trial.version.number,
        "tone": tone,
        "icon": icon,
        "state": _delivery(message) if bucket is Bucket.ACCEPTED else results.bucket_name(bucket),
        "words": _why(message, bucket),
        "live": on_its_way and timezone.now() - trial.created_at < LIVE,
    }


def _delivery(message: Message) -> str:
    return str(Delivery(message.delivery).label) if message.delivery else _("Meta la aceptó")


def _why(message: Message, bucket: Bucket) -> str:
    if bucket is Bucket.OMITTED:
        return wording.clipped(message.get_omission_display(), 80)[0]
    return results_seen.why(message)
