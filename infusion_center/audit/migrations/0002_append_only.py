from django.db import migrations

from infusion_center.core.triggers import RunTriggers, allow, refuse

TABLE = "audit_auditevent"


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [RunTriggers(refuse(TABLE, "update", "delete"), allow(TABLE, "update", "delete"))]
