import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Acts for many people are tasks, done by parts."""

    dependencies = [
        ('accounts', '0002_quiet_hours'),
        ('contacts', "0006_pairs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Task',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('tag', 'Etiquetar'), ('consent', 'Registrar permiso'), ('opt_out', 'Dar de baja'), ('delete', 'Eliminar'), ('export', 'Descargar')], max_length=10)),
                ('args', models.JSONField(default=dict)),
                ('audience', models.JSONField()),
                ('upto', models.BigIntegerField()),
                ('status', models.CharField(choices=[('waiting', 'Espera su turno'), ('running', 'En marcha'), ('done', 'Terminada'), ('stopped', 'Detenida'), ('broken', 'No se pudo'), ('undoing', 'Deshaciendo'), ('undone', 'Deshecha')], default='waiting', max_length=10)),
                ('total', models.IntegerField()),
                ('done', models.IntegerField(default=0)),
                ('last_id', models.BigIntegerField(default=0)),
                ('changed', models.IntegerField(default=0)),
                ('restored', models.IntegerField(default=0)),
                ('file', models.FileField(blank=True, upload_to='exports/%Y/%m/')),
                ('file_bytes', models.BigIntegerField(default=0)),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('language', models.CharField(default='es', max_length=10)),
                ('ip', models.CharField(blank=True, max_length=45)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('undone_at', models.DateTimeField(blank=True, null=True)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tasks', to='accounts.account')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('undone_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddField(
            model_name='consententry',
            name='task',
            field=models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='contacts.task'),
        ),
        migrations.CreateModel(
            name='TaskPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('links', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ('people', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='contacts.task')),
            ],
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(fields=['account', '-id'], name='task_by_account'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('status__in', ['waiting', 'running', 'undoing'])), fields=['status'], name='task_underway'),
        ),
    ]
