"""Sheets of patients between upload and registration."""

import django.db.models.deletion
import infusion_center.core.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('infusions', '0009_told_by_phone'),
        ('patients', '0005_test_patients'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PatientImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=infusion_center.core.models.new_public_id, editable=False, max_length=14, unique=True)),
                ('uploaded_at', models.DateTimeField(db_index=True)),
                ('file_hash', models.CharField(help_text='SHA-256 of what was uploaded', max_length=64)),
                ('headings', models.JSONField(help_text='heading and the column it was taken for, empty where it is not read')),
                ('date_order', models.CharField(blank=True, help_text='empty: somebody must say it first', max_length=11)),
                ('is_test', models.BooleanField(default=False, help_text='all of them are test patients')),
                ('state', models.CharField(choices=[('open', 'Being looked at'), ('running', 'Being registered'), ('ended', 'Ended')], default='open', max_length=7)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('site', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='infusions.site')),
            ],
            options={
                'ordering': ['-uploaded_at'],
            },
        ),
        migrations.CreateModel(
            name='ImportRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.PositiveIntegerField(help_text='in the sheet, the headings being line 1')),
                ('values', models.JSONField(help_text='column -> what the cell says')),
                ('state', models.CharField(choices=[('new', 'New'), ('ask', 'Look first'), ('error', 'Error'), ('done', 'Registered')], max_length=5)),
                ('problems', models.JSONField(default=list)),
                ('is_chosen', models.BooleanField(default=False)),
                ('patient_id', models.CharField(blank=True, max_length=14)),
                ('upload', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='patients.patientimport')),
            ],
            options={
                'ordering': ['line'],
                'constraints': [models.UniqueConstraint(fields=('upload', 'line'), name='import_row_once'), models.CheckConstraint(condition=models.Q(('is_chosen', True), ('state', 'error'), _negated=True), name='import_error_never_chosen')],
            },
        ),
    ]
