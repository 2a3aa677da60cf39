from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_quiet_hours")]

    operations = [
        migrations.AddField(
            model_name="account", name="keep_files_days", field=models.PositiveSmallIntegerField(default=30)
        ),
    ]
