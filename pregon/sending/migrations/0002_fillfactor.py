from django.db import migrations

# Room in the page for the one update that each message gets while sending, so that it stays HOT.
FORWARD = "ALTER TABLE sending_message SET (fillfactor = 70); ALTER TABLE sending_batch SET (fillfactor = 50);"
BACKWARD = "ALTER TABLE sending_message RESET (fillfactor); ALTER TABLE sending_batch RESET (fillfactor);"


class Migration(migrations.Migration):
    dependencies = [("sending", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
