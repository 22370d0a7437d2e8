"""What proven reminders need: more kinds, day sheets, what became of mails, the site's words, feeds, after-care."""

import django.core.validators
import django.db.models.deletion
import infusion_center.core.models
from django.conf import settings
from django.db import migrations, models

from infusion_center.core.triggers import RunTriggers, allow, refuse

SENT = {"when": "OLD.state = 'sent'", "message": "the reminder was sent"}
KEEP_SENT = refuse("infusions_reminder", "update", "delete", **SENT)
LET_GO = allow("infusions_reminder", "update", "delete")
APPEND_ONLY = ["infusions_mailevent", "infusions_aftercarereport", "infusions_aftercarecall"]


class Migration(migrations.Migration):

    dependencies = [
        ('infusions', '0007_chairside_guards'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # SQLite rebuilds an altered table without its triggers.
        RunTriggers(LET_GO, KEEP_SENT),
        migrations.CreateModel(
            name='AfterCareCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outcome', models.CharField(choices=[('reached', 'Spoke with the patient'), ('not_reached', 'Not reached, will try again'), ('passed_on', 'Passed on to the doctor')], max_length=12)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('called_at', models.DateTimeField()),
                ('called_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['called_at', 'id'],
            },
        ),
        migrations.CreateModel(
            name='AfterCareReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=infusion_center.core.models.new_public_id, editable=False, max_length=14, unique=True)),
                ('values', models.JSONField(help_text='question code -> yes or no')),
                ('comment', models.CharField(blank=True, max_length=300)),
                ('wants_call', models.BooleanField(default=False)),
                ('urgency', models.CharField(choices=[('emergency', 'Emergency: call now'), ('urgent', 'Call within the hour'), ('today', 'Call today'), ('none', 'No call needed')], help_text='as the rules had it when it was sent', max_length=10)),
                ('reported_at', models.DateTimeField()),
                ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='after_care_reports', to='infusions.appointment')),
            ],
            options={
                'ordering': ['-reported_at', '-id'],
                'indexes': [
                    models.Index(fields=['urgency', 'reported_at'], name='after_care_urgency'),
                ],
            },
        ),
        migrations.CreateModel(
            name='BlockedAddress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=infusion_center.core.models.new_public_id, editable=False, max_length=14, unique=True)),
                ('address', models.EmailField(help_text='in lower case', max_length=254)),
                ('cause', models.CharField(choices=[('bounced', 'Mail came back'), ('complained', 'Reported as unwanted')], max_length=12)),
                ('blocked_at', models.DateTimeField()),
                ('lifted_at', models.DateTimeField(blank=True, null=True)),
                ('lift_reason', models.CharField(blank=True, max_length=200)),
                ('lifted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'blocked addresses',
                'ordering': ['-blocked_at', '-id'],
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('lifted_at', None)), fields=('address',), name='address_blocked_once'),
                    models.CheckConstraint(condition=models.Q(models.Q(('lifted_at', None), ('lifted_by', None)), models.Q(('lifted_at__isnull', False), ('lifted_by__isnull', False)), _connector='OR'), name='blocked_address_lifted_pair'),
                ],
            },
        ),
        migrations.CreateModel(
            name='CalendarFeed',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=infusion_center.core.models.new_public_id, editable=False, max_length=14, unique=True)),
                ('secret_hash', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField()),
                ('last_read_at', models.DateTimeField(blank=True, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('nurse', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='calendar_feeds', to='infusions.nurse')),
                ('revoked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at'],
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('revoked_at', None)), fields=('nurse',), name='calendar_feed_one_each'),
                    models.CheckConstraint(condition=models.Q(models.Q(('revoked_at', None), ('revoked_by', None)), models.Q(('revoked_at__isnull', False), ('revoked_by__isnull', False)), _connector='OR'), name='calendar_feed_revoked_pair'),
                ],
            },
        ),
        migrations.CreateModel(
            name='DomainPace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('domain', models.CharField(max_length=253, unique=True)),
                ('minute', models.PositiveIntegerField(help_text='UTC epoch // 60')),
                ('sent', models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Heartbeat',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40, unique=True)),
                ('beat_at', models.DateTimeField()),
                ('seen_until', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='MailEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('delivered', 'Delivered'), ('deferred', 'Delayed by the receiver'), ('bounced', 'Came back'), ('complained', 'Reported as unwanted')], max_length=12)),
                ('event_key', models.CharField(help_text='hash of provider, event, message and time', max_length=64, unique=True)),
                ('happened_at', models.DateTimeField()),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('detail', models.CharField(blank=True, help_text="why, in the provider's words", max_length=200)),
                ('reminder', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='mail_events', to='infusions.reminder')),
            ],
            options={
                'ordering': ['-happened_at', '-id'],
                'indexes': [
                    models.Index(fields=['reminder', 'kind'], name='mail_event_reminder_kind'),
                ],
            },
        ),
        migrations.CreateModel(
            name='MailWording',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('kind', models.CharField(choices=[('confirmation', 'Confirmation'), ('days_14', '14 days before'), ('days_10', '10 days before'), ('days_7', '7 days before'), ('days_6', '6 days before'), ('days_5', '5 days before'), ('days_4', '4 days before'), ('days_3', '3 days before'), ('days_2', '2 days before'), ('days_1', '1 day before'), ('hydration', 'Evening before'), ('moved', 'Moved'), ('cancelled', 'Cancelled'), ('offer', 'Offer from the waitlist'), ('advice', 'Advice after the visit'), ('after_care', 'Day after'), ('day_sheet', 'Day sheet of a nurse')], help_text='the day reminders share that of one day before', max_length=15)),
                ('language', models.CharField(max_length=2)),
                ('subject', models.CharField(blank=True, max_length=80)),
                ('opening', models.CharField(blank=True, max_length=300)),
                ('note', models.TextField(blank=True, help_text="a paragraph of the site's own", max_length=600)),
                ('changed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('site', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mail_wordings', to='infusions.site')),
            ],
            options={
                'ordering': ['site', 'kind', 'language'],
                'constraints': [
                    models.UniqueConstraint(fields=('site', 'kind', 'language'), name='mail_wording_once'),
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name='reminder',
            name='reminder_visit_or_offer',
        ),
        migrations.AddField(
            model_name='reminder',
            name='day',
            field=models.DateField(blank=True, help_text="of a day sheet, by the site's calendar", null=True),
        ),
        migrations.AddField(
            model_name='reminder',
            name='day_site',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='infusions.site'),
        ),
        migrations.AddField(
            model_name='reminder',
            name='nurse',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reminders', to='infusions.nurse'),
        ),
        migrations.AddField(
            model_name='reminder',
            name='provider_id',
            field=models.CharField(blank=True, db_default='', default='', help_text='by which the mail provider knows it', max_length=200),
        ),
        migrations.AddField(
            model_name='site',
            name='cancel_cutoff_hours',
            field=models.PositiveSmallIntegerField(db_default=24, default=24, help_text='closer to the visit patients cannot cancel or move by link: they call', validators=[django.core.validators.MaxValueValidator(168)]),
        ),
        migrations.AddField(
            model_name='site',
            name='move_requests',
            field=models.CharField(choices=[('offer', 'Choose among times that fit'), ('call_back', 'Ask to be called back')], db_default='offer', default='offer', help_text='what the link to move a visit does', max_length=10),
        ),
        migrations.AddField(
            model_name='site',
            name='sends_after_care_mail',
            field=models.BooleanField(db_default=True, default=True, help_text='the day after each visit'),
        ),
        migrations.AddField(
            model_name='site',
            name='sends_day_sheet',
            field=models.BooleanField(db_default=True, default=True, help_text='to each nurse, the evening before a shift'),
        ),
        migrations.AddField(
            model_name='site',
            name='sends_hydration_mail',
            field=models.BooleanField(db_default=True, default=True, help_text='the evening before each visit'),
        ),
        migrations.AlterField(
            model_name='reminder',
            name='kind',
            field=models.CharField(choices=[('confirmation', 'Confirmation'), ('days_14', '14 days before'), ('days_10', '10 days before'), ('days_7', '7 days before'), ('days_6', '6 days before'), ('days_5', '5 days before'), ('days_4', '4 days before'), ('days_3', '3 days before'), ('days_2', '2 days before'), ('days_1', '1 day before'), ('hydration', 'Evening before'), ('moved', 'Moved'), ('cancelled', 'Cancelled'), ('offer', 'Offer from the waitlist'), ('advice', 'Advice after the visit'), ('after_care', 'Day after'), ('day_sheet', 'Day sheet of a nurse')], max_length=15),
        ),
        migrations.AlterField(
            model_name='reminder',
            name='reason',
            field=models.CharField(blank=True, choices=[('moved', 'The visit was moved: a newer message replaces this one'), ('cancelled', 'The visit was cancelled'), ('begun', 'The visit has begun or is over'), ('too_late', 'Too close to the visit for this reminder'), ('told_recently', 'Booked or moved shortly before: that message said it all'), ('never_told', 'The patient was never told of this visit'), ('no_decent_hour', 'No hour outside the quiet hours before the visit: call the patient'), ('no_consent', 'The patient does not want mail'), ('no_address', 'No email address on file'), ('inactive', "The patient's record is closed"), ('order_stopped', 'The order was stopped'), ('switched_off', 'The site no longer sends this reminder'), ('address_refused', 'The mail server refused the message for good'), ('offer_over', 'The offer is no longer open'), ('offer_expired', 'The offer ended before it could be sent'), ('offer_taken', 'The time was taken before it could be offered'), ('offer_night', 'The offer ends before a decent hour: call the patient'), ('gave_up', 'Given up after too many tries'), ('bounced', 'Mail to this address came back: call the patient'), ('complained', 'The patient reported our mail as unwanted: call instead'), ('nothing_on', 'No visits that day'), ('not_on_shift', 'No shift that day any more')], help_text='why skipped or failed', max_length=20),
        ),
        migrations.AddIndex(
            model_name='reminder',
            index=models.Index(condition=models.Q(('provider_id', ''), _negated=True), fields=['provider_id'], name='reminder_provider_id'),
        ),
        migrations.AddConstraint(
            model_name='reminder',
            constraint=models.UniqueConstraint(condition=models.Q(('nurse__isnull', False)), fields=('nurse', 'day', 'day_site', 'channel', 'resend_no'), name='reminder_day_sheet_once'),
        ),
        migrations.AddConstraint(
            model_name='reminder',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('appointment__isnull', False), ('day', None), ('day_site', None), ('nurse', None), ('offer', None)), models.Q(('appointment', None), ('day', None), ('day_site', None), ('nurse', None), ('offer__isnull', False)), models.Q(('appointment', None), ('day__isnull', False), ('day_site__isnull', False), ('nurse__isnull', False), ('offer', None)), _connector='OR'), name='reminder_about_one_thing'),
        ),
        migrations.AddField(
            model_name='aftercarecall',
            name='report',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='calls', to='infusions.aftercarereport'),
        ),
        migrations.AddField(
            model_name='blockedaddress',
            name='event',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='infusions.mailevent'),
        ),
        RunTriggers(KEEP_SENT, LET_GO),
        *[
            RunTriggers(refuse(table, "update", "delete"), allow(table, "update", "delete"))
            for table in APPEND_ONLY
        ],
    ]
