from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0009_erasure"),
    ]

    operations = [
        migrations.AddField("erasure", "left", models.JSONField(null=True)),
    ]
