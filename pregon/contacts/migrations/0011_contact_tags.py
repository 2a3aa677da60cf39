import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

# A link between a contact and a tag needs no number of its own: that was one index of three, felt when a million come in.
# What a task gave is known by the task.
REMEMBER = """
UPDATE contacts_contact_tags AS link SET task_id = part.task_id
FROM (SELECT task_id, unnest(links) AS id FROM contacts_taskpart) AS part WHERE part.id = link.id;
UPDATE contacts_taskpart AS part SET given = (
    SELECT coalesce(array_agg(DISTINCT contact_id), '{}') FROM contacts_contact_tags WHERE id = ANY(part.links)
) WHERE links <> '{}';
"""
DROP = "ALTER TABLE contacts_contact_tags DROP COLUMN id"
# Named as PostgreSQL names the key of a table that is made anew.
KEY = """
ALTER TABLE contacts_contact_tags
    DROP CONSTRAINT contacts_contact_tags_contact_id_tag_id_bd41f44b_uniq,
    ADD CONSTRAINT contacts_contact_tags_pkey PRIMARY KEY (contact_id, tag_id)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0010_erasure_left"),
    ]

    operations = [
        migrations.AddField(
            "taskpart",
            "given",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), default=list, size=None
            ),
        ),
        migrations.RunSQL("ALTER TABLE contacts_contact_tags ADD COLUMN task_id bigint"),
        migrations.RunSQL(REMEMBER),
        migrations.RunSQL(DROP),
        migrations.RunSQL(KEY),
        migrations.RemoveField("taskpart", "links"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="ContactTag",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "contact_id", "tag_id", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        (
                            "contact",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="contacts.contact",
                            ),
                        ),
                        (
                            "tag",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="contacts.tag",
                            ),
                        ),
                        (
                            "task",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="contacts.task",
                            ),
                        ),
                    ],
                    options={"db_table": "contacts_contact_tags"},
                ),
                migrations.AlterField(
                    "contact",
                    "tags",
                    models.ManyToManyField(
                        blank=True, related_name="contacts", through="contacts.ContactTag", to="contacts.tag"
                    ),
                ),
            ]
        ),
    ]
