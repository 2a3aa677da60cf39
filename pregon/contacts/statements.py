"""Where a permission comes from, as whoever brings it states it."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NONE, OPT_OUT = "none", "opt_out"


class Statement(NamedTuple):
    """The same origin in three ways of saying it."""

    words: Promise
    """Of many people, by whoever imports them."""
    hint: Promise
    one: Promise
    """Of one person, in their history."""


GRANTING = {
    "store": Statement(_("Se apuntaron en la tienda"), _("Hoja, tarjeta o tableta"), _("Se apuntó en la tienda")),
    "web": Statement(_("Aceptaron en nuestra página"), _("Formulario con casilla"), _("Aceptó en la página")),
    "whatsapp": Statement(_("Nos lo pidieron por WhatsApp"), _("Nos escribieron primero"), _("Lo pidió por WhatsApp")),
    "purchase": Statement(
        _("Compraron antes y aceptaron"), _("Al comprar dijeron que sí a las promociones"), _("Compró y aceptó")
    ),
    "other": Statement(_("De otra manera"), _("Cuenta abajo cómo aceptaron"), _("Aceptó de otra manera")),
}
ALL = GRANTING | {
    NONE: Statement(_("No tengo su permiso"), _("Se guardan sin recibir promociones"), _("Sin permiso")),
    OPT_OUT: Statement(
        _("Es una lista de bajas"), _("Nadie de este archivo vuelve a recibir promociones"), _("Lista de bajas")
    ),
}
