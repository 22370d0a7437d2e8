"""What the front desk needs: courses and series, wishes, the waitlist and its offers, weights of the ranking."""

import django.core.validators
import django.db.models.deletion
import infusion_center.core.models
from django.conf import settings
from django.db import migrations, models

from infusion_center.core.triggers import RunTriggers, allow, refuse


SENT = {"when": "OLD.state = 'sent'", "message": "the reminder was sent"}
KEEP_SENT = refuse("infusions_reminder", "update", "delete", **SENT)
LET_GO = allow("infusions_reminder", "update", "delete")


class Migration(migrations.Migration):

    dependencies = [
        ('infusions', '0002_append_only'),
        ('patients', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # SQLite rebuilds an altered table without its triggers.
        RunTriggers(LET_GO, KEEP_SENT),
        migrations.AddField(
            model_name='appointment',
            name='course_start',
            field=models.ForeignKey(blank=True, help_text="the first day's visit", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='later_days', to='infusions.appointment'),
        ),
        migrations.AddField(
            model_name='appointment',
            name='overridden',
            field=models.JSONField(blank=True, default=list, help_text='codes of problems that the reason decided'),
        ),
        migrations.AddField(
            model_name='series',
            name='local_time',
            field=models.TimeField(blank=True, help_text="by the site's clock", null=True),
        ),
        migrations.AddField(
            model_name='series',
            name='weekday',
            field=models.PositiveSmallIntegerField(blank=True, choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], null=True),
        ),
        migrations.AddField(
            model_name='site',
            name='offer_hours',
            field=models.PositiveSmallIntegerField(default=4, help_text='how long a waitlist offer stands', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(72)]),
        ),
        migrations.AddField(
            model_name='site',
            name='weight_chairs',
            field=models.PositiveSmallIntegerField(default=2, validators=[django.core.validators.MaxValueValidator(10)]),
        ),
        migrations.AddField(
            model_name='site',
            name='weight_due',
            field=models.PositiveSmallIntegerField(default=3, validators=[django.core.validators.MaxValueValidator(10)]),
        ),
        migrations.AddField(
            model_name='site',
            name='weight_level',
            field=models.PositiveSmallIntegerField(default=3, validators=[django.core.validators.MaxValueValidator(10)]),
        ),
        migrations.AddField(
            model_name='site',
            name='weight_wishes',
            field=models.PositiveSmallIntegerField(default=3, validators=[django.core.validators.MaxValueValidator(10)]),
        ),
        migrations.AlterField(
            model_name='appointment',
            name='is_pinned',
            field=models.BooleanField(default=False, help_text='keeps its chair and nurse when others are re-seated'),
        ),
        migrations.AlterField(
            model_name='reminder',
            name='appointment',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reminders', to='infusions.appointment'),
        ),
        migrations.AlterField(
            model_name='reminder',
            name='appointment_version',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='reminder',
            name='kind',
            field=models.CharField(choices=[('confirmation', 'Confirmation'), ('days_14', '14 days before'), ('days_10', '10 days before'), ('days_7', '7 days before'), ('days_6', '6 days before'), ('days_5', '5 days before'), ('days_4', '4 days before'), ('days_3', '3 days before'), ('days_2', '2 days before'), ('days_1', '1 day before'), ('moved', 'Moved'), ('cancelled', 'Cancelled'), ('offer', 'Offer from the waitlist')], max_length=15),
        ),
        migrations.CreateModel(
            name='BookingPreference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('weekdays', models.JSONField(blank=True, default=list, help_text='0 Monday to 6 Sunday; none: any day')),
                ('earliest', models.TimeField(blank=True, help_text="start not before, by the site's clock", null=True)),
                ('latest', models.TimeField(blank=True, help_text="start not after, by the site's clock", null=True)),
                ('chair_kind', models.CharField(blank=True, choices=[('recliner', 'Recliner'), ('bed', 'Bed'), ('private_room', 'Private room')], max_length=20)),
                ('needs_chair_kind', models.BooleanField(default=False, help_text='no other kind of chair will do')),
                ('nurse', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='infusions.nurse')),
                ('patient', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='booking_preference', to='patients.patient')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='WaitlistEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=infusion_center.core.models.new_public_id, editable=False, max_length=14, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('setting', models.CharField(choices=[('facility', 'In a chair'), ('home', 'At home')], default='facility', max_length=10)),
                ('first_on', models.DateField()),
                ('last_on', models.DateField()),
                ('weekdays', models.JSONField(blank=True, default=list, help_text='0 Monday to 6 Sunday; none: any day')),
                ('earliest', models.TimeField(blank=True, help_text="start not before, by the site's clock", null=True)),
                ('latest', models.TimeField(blank=True, help_text="start not after, by the site's clock", null=True)),
                ('notice_hours', models.PositiveSmallIntegerField(default=24, validators=[django.core.validators.MaxValueValidator(336)])),
                ('note', models.CharField(blank=True, max_length=200)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('booked', 'Booked'), ('closed', 'Closed')], default='waiting', max_length=10)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('close_reason', models.CharField(blank=True, max_length=200)),
                ('version', models.PositiveIntegerField(default=1)),
                ('appointment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='from_waitlist', to='infusions.appointment')),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('instead_of', models.ForeignKey(blank=True, help_text='the booked visit that would move to the earlier start', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='waiting_to_move', to='infusions.appointment')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waitlist_entries', to='infusions.infusionorder')),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waitlist_entries', to='patients.patient')),
                ('site', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waitlist_entries', to='infusions.site')),
            ],
            options={
                'verbose_name_plural': 'waitlist entries',
                'ordering': ['created_at', 'id'],
                'indexes': [
                    models.Index(fields=['site', 'state', 'last_on'], name='waitlist_site_state'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('last_on__gte', models.F('first_on'))), name='waitlist_forward'),
                    models.CheckConstraint(condition=models.Q(models.Q(('state', 'booked'), _negated=True), ('appointment__isnull', False), _connector='OR'), name='waitlist_booked_has_visit'),
                    models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('state', 'waiting')), models.Q(models.Q(('state', 'waiting'), _negated=True), ('closed_at__isnull', False)), _connector='OR'), name='waitlist_closed_pair'),
                ],
            },
        ),
        migrations.CreateModel(
            name='WaitlistOffer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=infusion_center.core.models.new_public_id, editable=False, max_length=14, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('start', models.DateTimeField()),
                ('end', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('open', 'Open'), ('accepted', 'Accepted'), ('declined', 'Declined'), ('lost', 'Taken by somebody else'), ('expired', 'Expired'), ('withdrawn', 'Withdrawn')], default='open', max_length=10)),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='offers', to='infusions.waitlistentry')),
                ('offered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at', '-id'],
                'indexes': [
                    models.Index(fields=['state', 'expires_at'], name='offer_state_expires'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('end__gt', models.F('start'))), name='offer_forward'),
                    models.CheckConstraint(condition=models.Q(models.Q(('settled_at', None), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('settled_at__isnull', False)), _connector='OR'), name='offer_settled_pair'),
                    models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('entry', 'start'), name='offer_open_once'),
                ],
            },
        ),
        migrations.AddField(
            model_name='reminder',
            name='offer',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reminders', to='infusions.waitlistoffer'),
        ),
        migrations.AddConstraint(
            model_name='reminder',
            constraint=models.UniqueConstraint(condition=models.Q(('offer__isnull', False)), fields=('offer', 'channel', 'resend_no'), name='reminder_offer_once'),
        ),
        migrations.AddConstraint(
            model_name='reminder',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('appointment__isnull', False), ('offer', None)), models.Q(('appointment', None), ('offer__isnull', False)), _connector='OR'), name='reminder_visit_or_offer'),
        ),
        RunTriggers(KEEP_SENT, LET_GO),
    ]
