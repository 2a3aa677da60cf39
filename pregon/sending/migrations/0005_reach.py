import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sending", "0004_control"),
        ("whatsapp", "0002_stops"),
    ]

    operations = [
        migrations.CreateModel(
            name="Window",
            fields=[
                (
                    "portfolio",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="whatsapp.portfolio",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="reply",
            name="number",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="whatsapp.number",
            ),
        ),
        migrations.CreateModel(
            name="Reached",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "portfolio_id", "person", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("person", models.BigIntegerField()),
                ("minute", models.DateTimeField()),
                (
                    "portfolio",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="whatsapp.portfolio",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReachedMinute",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "portfolio_id", "minute", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("minute", models.DateTimeField()),
                ("people", models.IntegerField()),
                (
                    "portfolio",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="whatsapp.portfolio",
                    ),
                ),
            ],
        ),
    ]
