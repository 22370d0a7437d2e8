"""Calls by which patients were told that a visit is cancelled."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from infusion_center.core.triggers import RunTriggers, allow, refuse

TABLE = "infusions_cancellationcall"


class Migration(migrations.Migration):

    dependencies = [
        ('infusions', '0008_reminders_proven'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CancellationCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('called_at', models.DateTimeField()),
                ('appointment', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='cancellation_call', to='infusions.appointment')),
                ('called_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['called_at', 'id'],
            },
        ),
        RunTriggers(refuse(TABLE, "update", "delete"), allow(TABLE, "update", "delete")),
    ]
