import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def foreign(to, on_delete=django.db.models.deletion.CASCADE, **options):
    return models.ForeignKey(on_delete=on_delete, to=to, **options)


def actor():
    return foreign(settings.AUTH_USER_MODEL, django.db.models.deletion.SET_NULL, null=True, related_name="+")


class Migration(migrations.Migration):
    """Who may be the same person, and who became one: see `contacts.pairs` and `contacts.merging`."""

    dependencies = [
        ("contacts", "0005_changes"),
        ("accounts", "0002_quiet_hours"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            "Pair",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("why", models.CharField(max_length=60)),
                ("score", models.SmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Por revisar"), ("apart", "Son distintas")], default="open", max_length=6
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                ("account", foreign("accounts.account", related_name="pairs", db_index=False)),
                ("decided_by", actor()),
                ("low", foreign("contacts.contact", related_name="+", db_constraint=False, db_index=False)),
                ("high", foreign("contacts.contact", related_name="+", db_constraint=False)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("low", "high"), name="pair_once")],
                "indexes": [
                    models.Index(
                        fields=["account", "-score", "id"], name="pair_open", condition=models.Q(("state", "open"))
                    )
                ],
            },
        ),
        migrations.CreateModel(
            "Merge",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("lost_id", models.BigIntegerField(unique=True)),
                ("lost_mobile", models.CharField(blank=True, max_length=16)),
                ("lost", models.JSONField()),
                ("before", models.JSONField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("account", foreign("accounts.account", related_name="merges", db_index=False)),
                ("actor", actor()),
                ("kept", foreign("contacts.contact", related_name="merges", db_constraint=False)),
            ],
            options={"indexes": [models.Index(fields=["account", "lost_mobile"], name="merge_by_mobile")]},
        ),
        migrations.AddIndex(
            "contact",
            models.Index(
                condition=models.Q(("no_whatsapp_at", None), _negated=True),
                fields=["account", "id"],
                name="contact_no_whatsapp",
            ),
        ),
    ]
