"""Meta's rates in USD per delivered message from 2026-10-01. The provider edits them: Meta's own list is the one that counts."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import migrations

FROM = date(2026, 10, 1)
LATIN_AMERICA = "BO CR DO EC SV GT HT HN JM NI PA PY PR UY VE"
WESTERN_EUROPE = "AT BE CH DK FI IE NO PT SE"
RATES = (  # countries ("" is the rest of the world), marketing, utility
    ("AR", "0.0618", "0.0260"),
    ("BR", "0.0625", "0.0068"),
    ("CL", "0.0889", "0.0200"),
    ("CO", "0.0125", "0.0008"),
    ("MX", "0.0397", "0.0085"),
    ("PE", "0.0703", "0.0300"),
    (LATIN_AMERICA, "0.0740", "0.0113"),
    ("US CA", "0.0250", "0.0034"),
    ("ES", "0.0707", "0.0200"),
    (WESTERN_EUROPE, "0.0592", "0.0171"),
    ("IN", "0.0118", "0.0014"),
    ("GB", "0.0635", "0.0220"),
    ("DE", "0.1365", "0.0550"),
    ("FR", "0.0859", "0.0300"),
    ("IT", "0.0795", "0.0300"),
    ("", "0.0604", "0.0077"),
)


def add_rates(apps: Any, schema_editor: Any) -> None:
    rate = apps.get_model("promotions", "Rate")
    rate.objects.bulk_create(
        [
            rate(category=category, country=country, amount=Decimal(amount), valid_from=FROM, currency="USD")
            for countries, marketing, utility in RATES
            for country in countries.split(" ")
            for category, amount in (("marketing", marketing), ("utility", utility))
        ],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("promotions", "0001_initial")]
    operations = [migrations.RunPython(add_rates, migrations.RunPython.noop)]
