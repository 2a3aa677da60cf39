"""Every component on one page, with the figures of a bakery: what we look at when we change a style, and test."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from pregon.accounts import access
from pregon.panel.drawing import Line, Part

NOON = datetime(2026, 11, 19, 16, 47, tzinfo=UTC)


class SampleForm(forms.Form):
    """One field of each shape; unbound, or bound with mistakes."""

    name = forms.CharField(label=_("Nombre"), max_length=60, help_text=_("Como le dices en la tienda."))
    mobile = forms.CharField(label=_("Celular"), required=False)
    plan = forms.ChoiceField(label=_("Plan"), choices=[("starter", "Starter"), ("pro", "Profesional")])
    origin = forms.ChoiceField(
        label=_("¿De dónde viene el permiso?"),
        widget=forms.RadioSelect,
        choices=[("store", _("Se apuntaron en la tienda")), ("page", _("Aceptaron en nuestra página"))],
    )
    spreadsheet = forms.FileField(label=_("Hoja de contactos"), help_text=_("CSV o Excel, hasta 20 MB."))
    sure = forms.BooleanField(label=_("Declaro que estas 201 personas aceptaron recibir promociones."))
    detail = forms.CharField(label=_("Detalle"), max_length=900, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hints = {"store": _("Hoja, tarjeta o tableta"), "page": _("Formulario con casilla")}
        self.fields["origin"].hints = hints  # type: ignore[attr-defined]

    def clean_mobile(self) -> str:
        if len(self.cleaned_data["mobile"]) < 10:
            raise forms.ValidationError(_("Faltan 2 dígitos: en México son 10."))
        return str(self.cleaned_data["mobile"])


MESSAGE = {
    "header": "Charolas para tu posada: 15% menos",
    "body": "Hola Mariana 👋\nAparta tu charola de 12 conchas antes del 30 de noviembre y te sale en *$204*. "
    "Elige vainilla, chocolate o fresa y recógela recién horneada el día de tu posada, en Av. Reforma 214.",
    "footer": "Responde BAJA para no recibir más",
    "buttons": [("reply", "Apartar mi charola"), ("url", "Ver sabores"), ("optout", "No recibir promociones")],
    "time": "11:00",
    "reply": "Apartar mi charola",
}


def figures() -> dict[str, object]:
    """Quota, buckets, filters, ledger, funnel and chart."""
    return {
        "quota": SimpleNamespace(
            limit=2000, used=1148, reserved=12, remaining=840, starts_on=date(2026, 11, 3), ends_on=date(2026, 12, 2)
        ),
        "today": date(2026, 11, 19),
        "done": SimpleNamespace(accepted=431, failed=9, omitted=34, unconfirmed=12),
        "running": SimpleNamespace(accepted=309, failed=4, omitted=89, unconfirmed=5, waiting=335),
        "facets": [
            {"figure": 871, "label": _("Con permiso"), "url": "#", "tone": "accepted", "icon": "user-check"},
            {"figure": 118, "label": _("Sin permiso"), "url": "#", "tone": "omitted", "icon": "user-question"},
            {"figure": 47, "label": _("De baja"), "url": "#", "tone": "failed", "icon": "user-off"},
        ],
        "everyone": {"figure": 1036, "label": _("En total"), "url": "#", "current": True},
        "days": [
            Part(212, "Hoy, jueves 19", "", "de 11:00 a 11:03"),
            Part(250, "Viernes 20", "", "de 11:05 a 11:09"),
            Part(191, "Sábado 21", "", "de 11:10 a 11:13"),
        ],
        "funnel": [
            ("circle-check", _("Aceptados"), 431),
            ("checks", _("Entregados"), 412),
            ("eye", _("Leídos"), 318),
            ("message-2", _("Respuestas"), 47),
            ("user-off", _("Bajas"), 3),
        ],
        "lines": [
            Line(_("leídos"), [(0, 0), (0.06, 120), (0.2, 160), (0.5, 178), (0.56, 258), (0.75, 302), (1, 318)]),
            Line(_("entregados"), [(0, 0), (0.02, 190), (0.1, 222), (0.5, 236), (0.53, 388), (0.75, 408), (1, 412)]),
            Line(_("respuestas"), [(0, 0), (0.16, 17), (0.5, 22), (0.7, 41), (1, 47)]),
        ],
        "marks": [(0, "Vie 10 h"), (0.5, "Sáb 10 h"), (1, "Dom")],
    }


def ledger() -> list[dict[str, object]]:
    saved = [
        {
            "figure": 163,
            "label": _("Nuevos"),
            "detail": _("Personas que aún no tenías"),
            "tone": "accepted",
            "icon": "user-plus",
        },
        {"figure": 38, "label": _("Actualizados"), "detail": _("Ya estaban"), "tone": "accepted", "icon": "user-edit"},
        {
            "figure": 14,
            "label": _("Sin permiso"),
            "detail": _("No reciben promociones"),
            "tone": "omitted",
            "icon": "user-question",
        },
    ]
    left_out = [
        {"figure": 17, "label": _("Duplicados"), "detail": "", "tone": "omitted", "icon": "copy"},
        {
            "figure": 16,
            "label": _("Incompletos"),
            "detail": _("Faltan o sobran dígitos"),
            "tone": "failed",
            "icon": "phone-x",
        },
    ]
    return [
        {"title": _("Se guardan"), "label": _("Contactos que se guardan"), "rows": saved},
        {"title": _("No se guardan"), "label": _("Filas que se quedan fuera"), "rows": left_out},
    ]


def documents() -> dict[str, object]:
    """An approval before and after the signature, and the poster when all is known and while it runs."""
    statement = format_html(
        "Apruebo que Panadería La Espiga envíe <b>{}</b> a <b>653 personas</b>.", "«Charolas para tu posada»"
    )
    facts = ["Mensaje, versión 4", "Lista de 742, vista a las 10:42"]
    doc = {"statement": statement, "signer": "Lucía Mendoza", "at": NOON, "facts": facts}
    unsigned = {
        "id": "sin-firma",
        "url": "#",
        "seen": _("Vi el mensaje tal como llega."),
        "undone": _("Cambiaste el detalle a las 10:52."),
    }
    headline = "«Buen Fin dulce: 2×1 en conchas» ya está en <em>{} celulares</em> y {} personas la leyeron."
    poster = {
        "business": "Panadería La Espiga",
        "lines": ["Sucursal Centro, 486 personas", "13 y 14 de noviembre de 2026"],
        "headline": format_html(headline, 412, 318),
        "left": "Aprobó Lucía Mendoza el 13 de noviembre a las 9:52",
        "right": "Usó 431 del cupo · 12 siguen reservados",
    }
    running = {**poster, "id": "cartel-vivo", "headline": format_html("Ya salieron <em>{}</em> de {}.", 318, 653)}
    return {
        "unsigned": {**doc, **unsigned},
        "signed": {**doc, "signed": True},
        "poster": poster,
        "running_poster": running,
    }


def lists() -> dict[str, object]:
    return {
        "whys": [
            {
                "figure": 41,
                "name": _("Sin permiso"),
                "sentence": _("No han aceptado promociones"),
                "url": "#",
                "action": _("Pedir permiso"),
            },
            {"figure": 0, "name": _("De baja"), "sentence": _("Pidieron no recibir más")},
            {"figure": 3, "name": _("Meta pidió esperar"), "sentence": _("Ya puedes reintentar."), "code": "131049"},
        ],
        "ticks": [
            {"done": True, "title": _("Contactos revisados"), "detail": "1,036 personas"},
            {"done": False, "title": _("Vista previa aprobada"), "url": "#firma", "action": _("Falta tu firma")},
        ],
        "options": [(_("todas las personas"), "#", True), (_("quienes dieron permiso"), "#", False)],
        "replies": [
            {
                "author": "Lucía",
                "at": NOON,
                "body": _("Mi envío sigue con 12 por confirmar."),
                "files": [{"url": "#", "name": "foto.png"}],
            },
            {
                "author": _("Tu proveedor"),
                "at": NOON,
                "body": _("Mañana se cierran y te regresan al cupo."),
                "ours": True,
            },
        ],
        "labels": ["Sucursal Centro", "Charolas"],
        "plans": [
            sample_plan("Starter", "$199", 300, api=False),
            sample_plan("Profesional", "$449", 2000, api=False),
            sample_plan("Premium", "$999", 10000, api=True),
        ],
        "people": [
            ("Mariana Torres Luna", "+522225550117", "accepted", _("Con permiso"), "user-check"),
            ("Rosa Elena Quiroz", "+522225550184", "omitted", _("Sin permiso"), "user-question"),
            ("Iván Castañeda", "+522225550129", "failed", _("De baja"), "user-off"),
        ],
    }


def sample_plan(name: str, price: str, messages: int, *, api: bool) -> dict[str, object]:
    included = [(True, messages, _("mensajes al mes")), (True, "", _("Modo práctica")), (api, "", _("API y webhooks"))]
    return {"name": name, "price": price, "period": _("al mes"), "pitch": _("Para tu clientela."), "lines": included}


def sample() -> dict[str, object]:
    """The whole context of the page."""
    typed = {"name": "Mariana Torres", "mobile": "222 555", "plan": "pro", "detail": "Aparta tu *charola*."}
    bound = {
        "form": SampleForm(),
        "wrong": SampleForm(typed, auto_id="wrong_%s"),
        "variables": [("{{nombre}}", _("nombre")), ("{{sucursal}}", _("sucursal"))],
    }
    return {**figures(), **documents(), **lists(), **bound, "ledger": ledger(), "message": MESSAGE}


@access.public
def styleguide(request: HttpRequest) -> HttpResponse:
    """For whoever builds the panel: with DEBUG, or the provider's team."""
    if not (settings.DEBUG or (request.user.is_authenticated and request.user.is_staff)):
        raise Http404
    return render(request, "panel/styleguide.html", sample())
