"""Made-up patients are marked at registration; the database refuses to mark or unmark one later."""

from django.db import migrations, models

from infusion_center.core.triggers import RunTriggers, allow, refuse

TABLE = "patients_patient"
CHANGED = "OLD.is_test IS DISTINCT FROM NEW.is_test"


class Migration(migrations.Migration):
    dependencies = [("patients", "0004_emergency_access")]

    operations = [
        migrations.AddField(
            model_name="patient",
            name="is_test",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="made up, to try things; said at registration and never changed",
                verbose_name="test patient",
            ),
        ),
        # SQLite rebuilds an altered table without its triggers: a later migration that alters patients takes this one
        # away first and puts it back.
        RunTriggers(
            refuse(TABLE, "update", when=CHANGED, message="whether a patient is a test is said once"),
            allow(TABLE, "update"),
        ),
    ]
