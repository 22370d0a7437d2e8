"""Turns audit events into sentences: who did what to what."""

from dataclasses import dataclass

from infusion_center.audit.models import AuditEvent
from infusion_center.audit.sentences import SENTENCES

# Nouns of actions that read well as "signed the order".
NOUNS = {
    "appointment": "visit",
    "dose": "dose record",
    "product": "product of the formulary",
    "rateschedule": "rate schedule",
    "riskfactor": "risk factor",
    "risk": "risk factor",
    "fact": "entry",
}
GROUPS = {
    "access": "Refused pages",
    "after_care": "After-care",
    "address": "Mail addresses",
    "appointment": "Visits",
    "audit": "The audit trail itself",
    "calendar_feed": "Calendar feeds",
    "chart": "Charts opened",
    "database": "Backups put back",
    "checklist": "Checklists",
    "checklist_template": "Checklist questions",
    "dose": "Dose records",
    "emergency": "Emergency access",
    "list": "Lists opened",
    "mail_wording": "Words of mails",
    "order": "Orders",
    "patient": "Patients",
    "product": "Products",
    "recall": "Recalls",
    "reminder": "Reminders",
    "report": "Reports downloaded",
    "staff": "Staff and sign-in",
    "stock": "Stock",
    "tablet": "Shared tablets",
    "waitlist": "Waitlist",
    "offer": "Waitlist offers",
}
ICONS = {
    "access": "ban",
    "audit": "shield-check",
    "database": "database-backup",
    "list": "list",
    "after_care": "phone-call",
    "address": "mail-x",
    "appointment": "calendar-days",
    "calendar_feed": "calendar-sync",
    "chart": "book-open",
    "checklist": "list-checks",
    "checklist_template": "list-checks",
    "dose": "droplets",
    "emergency": "siren",
    "order": "file-text",
    "patient": "user-round",
    "allergy": "octagon-alert",
    "risk": "triangle-alert",
    "weight": "activity",
    "recall": "package-x",
    "mail_wording": "pencil",
    "reminder": "bell",
    "report": "file-down",
    "staff": "users-round",
    "stock": "package",
    "tablet": "tablet-smartphone",
    "waitlist": "list-plus",
    "offer": "mail",
}


@dataclass(frozen=True)
class Sentence:
    event: AuditEvent
    actor: str
    text: str
    icon: str
    details: list[tuple[str, str]]


def present(event: AuditEvent) -> Sentence:
    """An action without a sentence of its own reads from its words: order.signed -> signed the order."""
    noun, _, verb = event.action.partition(".")
    detail = event.detail if isinstance(event.detail, dict) else {}
    if event.action in SENTENCES:
        text = SENTENCES[event.action].format(target=event.target_name, what=detail.get("what", "the chart"))
    else:
        text = f"{verb.replace('_', ' ')} the {NOUNS.get(noun, noun.replace('_', ' '))}"
    return Sentence(event, event.actor_name, text, ICONS.get(noun, "circle"), details_of(detail))


def details_of(detail: dict) -> list[tuple[str, str]]:
    """Codes, ids and field names as label and text; empty ones left out."""
    return [
        (name.replace("_", " "), ", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for name, value in detail.items()
        if value not in ("", None, [], {}) and name != "what"
    ]
