"""The database itself refuses to change what was recorded at the chair, and questions that were published."""

from django.db import migrations, models

from infusion_center.core.triggers import RunTriggers, allow, refuse

APPEND_ONLY = [
    "infusions_patientreport",
    "infusions_holdstep",
    "infusions_latereaction",
    "infusions_stockmovement",
    "infusions_recallcontact",
]
DOSE_PARTS = ["infusions_medicationgiven", "infusions_reactionstep"]
ITEMS = "infusions_checklistitem"


def reversible(table, *events, **conditions):
    return RunTriggers(refuse(table, *events, **conditions), allow(table, *events))


def parent_signed(row):
    return f"(SELECT state FROM infusions_doserecord WHERE id = {row}.record_id) = 'signed'"


def template_used(row):
    return f"EXISTS (SELECT 1 FROM infusions_preinfusionchecklist WHERE template_id = {row}.template_id)"


def template_fixed(row):
    published = f"(SELECT published_at FROM infusions_checklisttemplate WHERE id = {row}.template_id) IS NOT NULL"
    return f"({published} OR {template_used(row)})"


def guard_items(fixed, message):
    return [
        refuse(ITEMS, event, when=when, message=message)
        for event, when in (
            ("insert", fixed("NEW")),
            ("update", f"{fixed('OLD')} OR {fixed('NEW')}"),
            ("delete", fixed("OLD")),
        )
    ]


def run_all(*steps):
    def run(apps, schema_editor):
        for step in steps:
            step(apps, schema_editor)

    return run


LET_GO = allow(ITEMS, "insert", "update", "delete")


class Migration(migrations.Migration):
    dependencies = [("infusions", "0006_chairside_rows")]

    operations = [
        # Before any trigger names the table: SQLite rebuilds it.
        migrations.AddConstraint(
            model_name="checklisttemplate",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_active", False), ("published_at__isnull", False), _connector="OR"),
                name="checklist_template_in_use_published",
            ),
        ),
        *(reversible(table, "update", "delete") for table in APPEND_ONLY),
        *(
            reversible(table, event, when=when, message="the dose record is signed")
            for table in DOSE_PARTS
            for event, when in (
                ("insert", parent_signed("NEW")),
                ("update", f"{parent_signed('OLD')} OR {parent_signed('NEW')}"),
                ("delete", parent_signed("OLD")),
            )
        ),
        RunTriggers(
            run_all(LET_GO, *guard_items(template_fixed, "the template was published")),
            run_all(LET_GO, *guard_items(template_used, "the template was used")),
        ),
    ]
