"""`pregon manage seed_demo`: the demo business, made or completed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from pregon.whatsapp import problems
from pregon.worker import demo


class Command(BaseCommand):
    help = _("Crea el negocio de ejemplo, o completa lo que le falte.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            demo.seed()
        except problems.MetaProblem as problem:
            raise CommandError(_("El WhatsApp de práctica no contesta. %(why)s") % {"why": problem}) from problem
        self.stdout.write(_("Negocio de ejemplo: entra con %(email)s.") % {"email": demo.OWNER})
