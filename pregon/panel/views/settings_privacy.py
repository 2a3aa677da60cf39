"""Ajustes: what is kept of people and for how long, the proof of their permission, and whose data were erased."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from pregon.accounts import access
from pregon.accounts.models import Account, Role
from pregon.contacts import export_files, import_tidying, imports, optin
from pregon.panel import proofs, wording
from pregon.panel.forms.privacy import KeepingForm

SHOWN = 20  # of those whose data were erased


@require_http_methods(["GET", "POST"])
@access.member(Role.MANAGER)
def settings_privacy(request: access.Request) -> HttpResponse:
    form = KeepingForm(request.POST or None, instance=request.account)
    if form.is_valid():
        form.save()
        messages.success(request, _("Guardamos cuánto se quedan tus archivos."))
        return redirect("panel:settings_privacy")
    if form.errors:
        request.account.refresh_from_db()  # the table tells what holds, not what was typed
    page = {
        "form": form,
        "kept": _kept(request.account),
        "erasures": list(request.account.erasures.select_related("actor").order_by("-pk")[:SHOWN]),
        "most": proofs.MOST,
    }
    return render(request, "panel/settings/privacy.html", page, status=422 if form.errors else 200)


def _kept(account: Account) -> list[tuple[str, str]]:
    """What, and until when."""
    return [
        (_("Contactos, con sus datos y etiquetas"), _("Hasta que los eliminas")),
        (
            _("Permisos y bajas, con su prueba"),
            _("Hasta que borras los datos de la persona; su no se queda sin su número"),
        ),
        (_("Mensajes y respuestas"), _("Hasta que borras los datos de la persona")),
        (_("Archivos de contactos, y sus filas que quedaron fuera"), days(account.keep_files_days)),
        (_("Filas de un archivo que aún revisas"), days(import_tidying.REVIEW_DAYS)),
        (_("Cómo eran los contactos que cambió un archivo, para deshacerlo"), days(imports.UNDO_DAYS)),
        (_("Archivos que descargas con tus contactos"), days(export_files.KEPT.days)),
        (_("Formularios de alta y de baja, tal como llegaron"), days(optin.KEPT.days)),
        (_("Avisos de Meta, tal como llegaron"), days(settings.ARRIVALS_DAYS)),
    ]


def days(figure: int) -> str:
    """«30 días»."""
    return ngettext("%(n)s día", "%(n)s días", figure) % {"n": wording.number(figure)}
