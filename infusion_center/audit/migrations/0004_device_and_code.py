from django.db import migrations, models

from infusion_center.core.triggers import RunTriggers, allow, refuse

TABLE = "audit_auditevent"


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0003_site_events'),
    ]

    operations = [
        # SQLite rebuilds an altered table without its triggers.
        RunTriggers(allow(TABLE, "update", "delete"), refuse(TABLE, "update", "delete")),
        migrations.AddField(
            model_name='auditevent',
            name='device',
            field=models.CharField(blank=True, db_default='', default='', help_text='tablet or browser', max_length=80),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='mac',
            field=models.CharField(blank=True, db_default='', default='', editable=False, help_text='proves the row: audit.macs', max_length=90),
        ),
        RunTriggers(refuse(TABLE, "update", "delete"), allow(TABLE, "update", "delete")),
    ]
