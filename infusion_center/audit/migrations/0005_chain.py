from django.db import migrations, models

from infusion_center.core.triggers import RunTriggers, allow, refuse

TABLE = "audit_auditlink"


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0004_device_and_code'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditLink',
            fields=[
                ('position', models.BigIntegerField(primary_key=True, serialize=False)),
                ('event_id', models.BigIntegerField(unique=True)),
                ('sealed_at', models.DateTimeField()),
                ('digest', models.CharField(max_length=64)),
            ],
            options={
                'ordering': ['position'],
            },
        ),
        migrations.CreateModel(
            name='ChainCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('started_at', models.DateTimeField()),
                ('position', models.BigIntegerField(default=0)),
                ('digest', models.CharField(blank=True, max_length=64)),
                ('state', models.JSONField(default=dict)),
                ('finished_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['-started_at'],
            },
        ),
        RunTriggers(refuse(TABLE, "update", "delete"), allow(TABLE, "update", "delete")),
    ]
