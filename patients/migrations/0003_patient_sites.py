"""Patients belong to the sites that treat them. Those on record: where they had visits or wait for one."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

WHERE_SEEN = """
    INSERT INTO patients_patientsite (patient_id, site_id, added_at)
    SELECT patient_id, site_id, %s FROM (
        SELECT patient_id, site_id FROM infusions_appointment
        UNION
        SELECT patient_id, site_id FROM infusions_waitlistentry
    ) AS seen
    WHERE NOT EXISTS (
        SELECT 1 FROM patients_patientsite AS link
        WHERE link.patient_id = seen.patient_id AND link.site_id = seen.site_id
    )
"""
# Whom no site has seen stays as visible as before.
OTHERS_EVERYWHERE = """
    INSERT INTO patients_patientsite (patient_id, site_id, added_at)
    SELECT patients_patient.id, infusions_site.id, %s
    FROM patients_patient CROSS JOIN infusions_site
    WHERE NOT EXISTS (
        SELECT 1 FROM patients_patientsite AS link WHERE link.patient_id = patients_patient.id
    )
"""


def link_patients(apps, schema_editor):
    link(schema_editor.connection)


def link(connection) -> int:
    """How many links are new. A command does it again once the release before, which writes none, is gone."""
    now, new = connection.ops.adapt_datetimefield_value(timezone.now()), 0
    with connection.cursor() as cursor:
        for statement in (WHERE_SEEN, OTHERS_EVERYWHERE):
            cursor.execute(statement, [now])
            new += cursor.rowcount
    return new


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0002_search_sound_with_word"),
        ("infusions", "0009_told_by_phone"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PatientSite",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("added_at", models.DateTimeField()),
                (
                    "added_by",
                    models.ForeignKey(
                        help_text="empty: the patient, by a link, or the system",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="site_links",
                        to="patients.patient",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="patient_links",
                        to="infusions.site",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["site", "patient"], name="patient_site_by_site")],
                "constraints": [models.UniqueConstraint(fields=("patient", "site"), name="patient_site_once")],
            },
        ),
        migrations.RunPython(link_patients, migrations.RunPython.noop),
    ]
