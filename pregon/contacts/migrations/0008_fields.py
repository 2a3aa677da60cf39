import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

KINDS = [
    ("text", "Texto"),
    ("number", "Número"),
    ("date", "Fecha"),
    ("yes_no", "Sí o no"),
    ("choice", "Opción de una lista"),
]
WORKS = [
    ("", ""),
    ("checking", "Revisando sus valores"),
    ("converting", "Cambiando sus valores"),
    ("deleting", "Borrando sus valores"),
]
# What people have under a name becomes a field of that name, a text.
FOUND = """
INSERT INTO contacts_field (account_id, name, label, kind, choices, place, work, wanted, upto, problem)
SELECT account_id, key, upper(left(key, 1)) || substr(key, 2), 'text', '{}', row_number() OVER (PARTITION BY account_id ORDER BY key), '', '', 0, ''
FROM (
    SELECT DISTINCT account_id, jsonb_object_keys(fields) AS key FROM contacts_contact
    WHERE fields <> '{}' AND jsonb_typeof(fields) = 'object'
) AS found WHERE length(key) BETWEEN 1 AND 60
"""
# Files under review are read again: how their own fields are read is kept with them now.
READ_AGAIN = "UPDATE contacts_contactimport SET status = 'reading' WHERE status = 'reviewing' AND problem = ''"


class Migration(migrations.Migration):
    """A business's own fields have a table, each with its kind: see `contacts.fields`."""

    dependencies = [("contacts", "0007_tasks")]

    operations = [
        migrations.AddField("contactimport", "read_as", models.JSONField(default=dict)),
        migrations.AddField("contactimport", "remarks", models.JSONField(default=dict)),
        migrations.CreateModel(
            "Field",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("label", models.CharField(max_length=60)),
                ("kind", models.CharField(choices=KINDS, default="text", max_length=10)),
                (
                    "choices",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), default=list, size=None
                    ),
                ),
                ("place", models.PositiveSmallIntegerField(default=0)),
                ("work", models.CharField(blank=True, choices=WORKS, default="", max_length=10)),
                ("wanted", models.CharField(blank=True, max_length=12)),
                ("upto", models.BigIntegerField(default=0)),
                ("problem", models.CharField(blank=True, max_length=300)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="own_fields",
                        to="accounts.account",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="contacts.contactimport",
                    ),
                ),
            ],
            options={
                "ordering": ("place", "id"),
                "constraints": [models.UniqueConstraint(fields=("account", "name"), name="field_once_per_account")],
            },
        ),
        migrations.RunSQL(FOUND, migrations.RunSQL.noop),
        migrations.RunSQL(READ_AGAIN, migrations.RunSQL.noop),
    ]
