"""The database itself refuses to change signed records, given answers, overrides and sent reminders."""

from django.db import migrations

from infusion_center.core.triggers import RunTriggers, allow, refuse

APPEND_ONLY = [
    "infusions_signature",
    "infusions_orderevent",
    "infusions_checklistanswer",
    "infusions_checklistoverride",
    "infusions_doseamendment",
]
DOSE_PARTS = ["infusions_vialused", "infusions_ratechange", "infusions_vitalsigns", "infusions_reaction"]
ORDER_COLUMNS = [
    "patient_id",
    "indication_id",
    "regimen",
    "product_id",
    "prescriber_name",
    "dose_mg_per_kg",
    "days",
    "round_to_g",
    "weight_method",
    "actual_weight_kg",
    "weight_measured_on",
    "dosing_weight_kg",
    "rate_weight_kg",
    "interval_days",
    "tolerance_days",
    "premedication",
    "starts_on",
    "valid_until",
    "visits_authorized",
    "is_first_dose",
    "home_allowed",
]
ORDER_CHANGED = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in ORDER_COLUMNS)

# A failed run may still become "passed with override", by the overrides written beside it; nothing else in it changes.
NOT_OVERRIDDEN_NOW = "NOT (OLD.status = 'failed' AND NEW.status = 'overridden')"
RUN_COLUMNS = [
    "public_id",
    "appointment_id",
    "template_id",
    "started_at",
    "started_by_id",
    "closed_at",
    "closed_by_id",
    "problems",
]
RUN_CHANGED = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in RUN_COLUMNS)


def reversible(table, *events, **conditions):
    return RunTriggers(refuse(table, *events, **conditions), allow(table, *events))


def parent_signed(row):
    return f"(SELECT state FROM infusions_doserecord WHERE id = {row}.record_id) = 'signed'"


def order_signed(row):
    return f"(SELECT status FROM infusions_infusionorder WHERE id = {row}.infusionorder_id) <> 'draft'"


def run_closed(row):
    return f"(SELECT status FROM infusions_preinfusionchecklist WHERE id = {row}.run_id) <> 'open'"


def template_used(row):
    return f"EXISTS (SELECT 1 FROM infusions_preinfusionchecklist WHERE template_id = {row}.template_id)"


class Migration(migrations.Migration):
    dependencies = [("infusions", "0001_initial")]

    operations = [
        *(reversible(table, "update", "delete") for table in APPEND_ONLY),
        *(
            reversible(table, event, when=when, message="the dose record is signed")
            for table in DOSE_PARTS
            for event, when in (
                ("insert", parent_signed("NEW")),
                # Nor may a row be carried over into a signed record.
                ("update", f"{parent_signed('OLD')} OR {parent_signed('NEW')}"),
                ("delete", parent_signed("OLD")),
            )
        ),
        reversible(
            "infusions_doserecord", "update", "delete", when="OLD.state = 'signed'", message="the dose record is signed"
        ),
        reversible(
            "infusions_preinfusionchecklist",
            "update",
            when=f"OLD.status <> 'open' AND ({NOT_OVERRIDDEN_NOW} OR {RUN_CHANGED})",
            message="the checklist is closed",
        ),
        reversible(
            "infusions_preinfusionchecklist", "delete", when="OLD.status <> 'open'", message="the checklist is closed"
        ),
        reversible(
            "infusions_checklistitem",
            "update",
            when=f"{template_used('OLD')} OR {template_used('NEW')}",
            message="the template was used",
        ),
        reversible("infusions_checklistitem", "delete", when=template_used("OLD"), message="the template was used"),
        reversible("infusions_checklistitem", "insert", when=template_used("NEW"), message="the template was used"),
        reversible("infusions_checklistanswer", "insert", when=run_closed("NEW"), message="the checklist is closed"),
        reversible(
            "infusions_reminder", "update", "delete", when="OLD.state = 'sent'", message="the reminder was sent"
        ),
        reversible(
            "infusions_infusionorder",
            "update",
            when=f"OLD.status <> 'draft' AND (NEW.status = 'draft' OR {ORDER_CHANGED})",
            message="the order is signed",
        ),
        *(
            reversible("infusions_infusionorder_alternatives", event, when=when, message="the order is signed")
            for event, when in (
                ("insert", order_signed("NEW")),
                ("update", f"{order_signed('OLD')} OR {order_signed('NEW')}"),
                ("delete", order_signed("OLD")),
            )
        ),
        reversible("infusions_infusionorder", "delete", when="OLD.status <> 'draft'", message="the order is signed"),
    ]
