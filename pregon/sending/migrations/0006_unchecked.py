import django.db.models.deletion
from django.db import migrations, models


def _unchecked(to, on_delete, **more):
    return models.ForeignKey(
        db_constraint=False, db_index=False, on_delete=on_delete, related_name="messages", to=to, **more
    )


class Migration(migrations.Migration):
    """See `sending.models.Message`: checked row by row, its references took longer than the rows themselves."""

    dependencies = [
        ("sending", "0005_reach"),
    ]

    operations = [
        migrations.AlterField("message", "account", _unchecked("accounts.account", django.db.models.deletion.CASCADE)),
        migrations.AlterField("message", "batch", _unchecked("sending.batch", django.db.models.deletion.CASCADE)),
        migrations.AlterField(
            "message", "contact", _unchecked("contacts.contact", django.db.models.deletion.SET_NULL, null=True)
        ),
    ]
