"""Rows that the chairside tables need: which templates were published, and every lot given so far."""

from django.db import migrations
from django.db.models import F


def publish_templates(apps, schema_editor):
    """All versions so far were in use from the day they were made."""
    templates = apps.get_model("infusions", "ChecklistTemplate").objects.filter(published_at=None)
    templates.update(published_at=F("created_at"), published_by=F("created_by"))


def know_lots(apps, schema_editor):
    KnownLot = apps.get_model("infusions", "KnownLot")
    given = apps.get_model("infusions", "VialUsed").objects.order_by().values_list("product_id", "lot").distinct()
    KnownLot.objects.bulk_create(
        (KnownLot(product_id=product_id, lot=lot) for product_id, lot in given.iterator()),
        batch_size=1000,
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("infusions", "0005_chairside")]

    operations = [
        migrations.RunPython(publish_templates, migrations.RunPython.noop),
        migrations.RunPython(know_lots, migrations.RunPython.noop),
    ]
