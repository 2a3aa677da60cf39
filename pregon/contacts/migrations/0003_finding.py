import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

CONSENTS = [("unknown", "Sin permiso"), ("granted", "Con permiso"), ("withdrawn", "Baja")]

# A name's words: the first is found by contact_by_name. The second to the sixth have an index each, of those who have one; the
# few with a seventh are looked through. A number is found by its beginning (contact_mobile_once) or its end.
INDEXES = {
    **{
        f"contact_by_word_{place}": f"(account_id, split_part(search, ' ', {place}), id) WHERE split_part(search, ' ', {place}) <> ''"
        for place in range(2, 7)
    },
    "contact_by_more_words": "(account_id, search, id) WHERE split_part(search, ' ', 7) <> ''",
    "contact_by_tail": "(account_id, right(mobile, 4)) WHERE mobile IS NOT NULL",
    "contact_by_raw": """(account_id, (regexp_replace(mobile_raw, '[^0-9]', '', 'g') COLLATE "C"), id) WHERE mobile IS NULL""",
}

# What a statement adds and takes away, per account and kind. Once in a hundred times the rows of accounts that have many are
# folded into one per kind; rows that somebody else is folding are left to them.
COUNT = """
CREATE FUNCTION contacts_count() RETURNS trigger LANGUAGE plpgsql AS $count$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO contacts_tally (account_id, consent, to_fix, people)
        SELECT account_id, consent, mobile_problem <> '', count(*) FROM added GROUP BY 1, 2, 3;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO contacts_tally (account_id, consent, to_fix, people)
        SELECT account_id, consent, mobile_problem <> '', -count(*) FROM taken GROUP BY 1, 2, 3;
    ELSE
        INSERT INTO contacts_tally (account_id, consent, to_fix, people)
        SELECT account_id, consent, to_fix, sum(people) FROM (
            SELECT account_id, consent, mobile_problem <> '' AS to_fix, 1 AS people FROM added
            UNION ALL SELECT account_id, consent, mobile_problem <> '', -1 FROM taken
        ) AS moved GROUP BY 1, 2, 3 HAVING sum(people) <> 0;
    END IF;
    IF FOUND AND random() < 0.01 THEN
        PERFORM contacts_fold();
    END IF;
    RETURN NULL;
END
$count$;

CREATE FUNCTION contacts_fold() RETURNS void LANGUAGE sql AS $fold$
    WITH gone AS (
        DELETE FROM contacts_tally WHERE id IN (SELECT id FROM contacts_tally WHERE account_id IN (
            SELECT account_id FROM contacts_tally GROUP BY account_id HAVING count(*) > 100
        ) FOR UPDATE SKIP LOCKED)
        RETURNING account_id, consent, to_fix, people
    )
    INSERT INTO contacts_tally (account_id, consent, to_fix, people)
    SELECT account_id, consent, to_fix, sum(people) FROM gone GROUP BY 1, 2, 3 HAVING sum(people) <> 0
$fold$;

CREATE TRIGGER contacts_added AFTER INSERT ON contacts_contact
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION contacts_count();
CREATE TRIGGER contacts_changed AFTER UPDATE ON contacts_contact
    REFERENCING OLD TABLE AS taken NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION contacts_count();
CREATE TRIGGER contacts_taken AFTER DELETE ON contacts_contact
    REFERENCING OLD TABLE AS taken FOR EACH STATEMENT EXECUTE FUNCTION contacts_count();

INSERT INTO contacts_tally (account_id, consent, to_fix, people)
SELECT account_id, consent, mobile_problem <> '', count(*) FROM contacts_contact GROUP BY 1, 2, 3;
"""
UNCOUNT = """
DROP TRIGGER contacts_added ON contacts_contact;
DROP TRIGGER contacts_changed ON contacts_contact;
DROP TRIGGER contacts_taken ON contacts_contact;
DROP FUNCTION contacts_count;
DROP FUNCTION contacts_fold;
"""


class Migration(migrations.Migration):
    """Finding people in a base of a million: see `contacts.finding`, `contacts.tally` and docs/decisions/0009."""

    dependencies = [
        ("contacts", "0002_imports_by_parts"),
        ("accounts", "0002_quiet_hours"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            "contact", "search", models.CharField(blank=True, db_collation="C", editable=False, max_length=160)
        ),
        migrations.AlterField(
            "contact",
            "mobile",
            models.CharField(blank=True, db_collation="C", max_length=16, null=True, verbose_name="celular"),
        ),
        migrations.CreateModel(
            "Tally",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("consent", models.CharField(choices=CONSENTS, max_length=10)),
                ("to_fix", models.BooleanField()),
                ("people", models.IntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            "Segment",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, verbose_name="nombre")),
                ("definition", models.JSONField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="segments",
                        to="accounts.account",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("name",),
                "constraints": [models.UniqueConstraint(fields=("account", "name"), name="segment_once_per_account")],
            },
        ),
        # Read backwards it is the same, and what grows at its end is half as large and fast to write.
        migrations.RemoveIndex("contact", "contact_by_age"),
        migrations.AddIndex("contact", models.Index(fields=["account", "id"], name="contact_by_age")),
        *(
            migrations.RunSQL(f"CREATE INDEX {name} ON contacts_contact {what}", f"DROP INDEX {name}")
            for name, what in INDEXES.items()
        ),
        migrations.RunSQL(COUNT, UNCOUNT),
    ]
