"""Frames that Meta approved, and versions that are not saved: for tests of what a promotion says."""

from typing import Any

from django.utils import timezone

from pregon.accounts.models import Account
from pregon.promotions.models import Promotion, Version, Way
from pregon.whatsapp.models import Template

BAJA = {"type": "QUICK_REPLY", "text": "No recibir promociones"}
NAMED: list[dict[str, Any]] = [
    {"type": "BODY", "text": "Hola {{nombre}} 👋 *{{asunto}}*\n{{detalle}}\nTe esperamos."},
    {"type": "FOOTER", "text": "Responde BAJA para no recibir más"},
    {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Apartar"}, BAJA]},
]
NUMBERED: list[dict[str, Any]] = [
    {"type": "HEADER", "format": "TEXT", "text": "Noticias: {{1}}"},
    {"type": "BODY", "text": "Hola {{1}}, {{2}} ¡Gracias!"},
    {
        "type": "BUTTONS",
        "buttons": [
            BAJA,
            {"type": "URL", "text": "Ver", "url": "https://laespiga.example/o/{{1}}", "example": ["x"]},
            {"type": "COPY_CODE", "example": "PAN15"},
        ],
    },
]
PHOTO: list[dict[str, Any]] = [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Hola {{1}}."}]


def template(components: list[dict[str, Any]], **fields: Any) -> Template:
    given = {
        "name": "promo",
        "language": "es_MX",
        "category": "MARKETING",
        "status": "APPROVED",
        "synced_at": timezone.now(),
    }
    named = any("{{nombre}}" in str(part.get("text")) for part in components)
    return Template(components=components, parameter_format="NAMED" if named else "POSITIONAL", **given | fields)


def version(way: Way, **fields: Any) -> Version:
    account = Account(pk=1, name="Panadería La Espiga", country="MX")
    promotion = Promotion(pk=12, account=account, name="Charolas para tu posada")
    return Version(promotion=promotion, number=1, way=way, **fields)
