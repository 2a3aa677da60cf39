"""The plans an installation starts with. Samples: the provider edits them."""

from decimal import Decimal
from typing import Any

from django.db import migrations

ALL = ["contacts", "whatsapp", "reports"]
PLANS = [
    {
        "slug": "basico", "name": "Básico", "position": 1, "price": Decimal(0), "monthly_limit": 0, "modules": ["contacts"],
        "summary": "Guarda tus contactos y sus permisos, sin enviar.",
    },
    {
        "slug": "starter", "name": "Starter", "position": 2, "price": Decimal(199), "monthly_limit": 500, "modules": ALL,
        "summary": "Para empezar con tu clientela más cercana.", "is_initial": True,
    },
    {
        "slug": "profesional", "name": "Profesional", "position": 3, "price": Decimal(449), "monthly_limit": 2_000, "modules": ALL,
        "summary": "Para una o dos sucursales con promociones cada semana.",
    },
    {
        "slug": "premium", "name": "Premium", "position": 4, "price": Decimal(999), "monthly_limit": 10_000, "modules": ALL,
        "summary": "Para varias sucursales o una tienda en línea.",
    },
]  # fmt: skip


def add_plans(apps: Any, schema_editor: Any) -> None:
    plan = apps.get_model("subscriptions", "Plan")
    plan.objects.bulk_create([plan(currency="MXN", **row) for row in PLANS], ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0001_initial")]
    operations = [migrations.RunPython(add_plans, migrations.RunPython.noop)]
