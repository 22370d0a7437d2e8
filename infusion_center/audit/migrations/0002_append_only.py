from django.db import migrations

from infusion_center.core.triggers import allow, refuse

TABLE = "audit_auditevent"


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunPython(refuse(TABLE, "update", "delete"), allow(TABLE, "update", "delete"))]
