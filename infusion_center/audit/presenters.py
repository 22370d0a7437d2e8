"""Turns audit events into sentences: who did what to what."""

from dataclasses import dataclass

from infusion_center.audit.models import AuditEvent

# What happened, said after the actor's name; {target} is the name that the target had then.
SENTENCES = {
    "staff.created": "added {target} to the staff",
    "staff.amended": "changed name or initials of {target}",
    "staff.roles_changed": "changed the roles of {target}",
    "staff.deactivated": "switched off the account of {target}",
    "staff.reactivated": "switched the account of {target} on again",
    "staff.invited": "sent {target} a mail to set a password",
    "staff.password_set": "set a new password",
    "staff.signed_in": "signed in",
    "staff.signed_out": "signed out",
    "staff.sign_in_failed": "failed to sign in as {target}",
    "nurse.added": "made {target} a nurse whom visits are booked with",
    "nurse.amended": "changed whether {target} is booked as a nurse",
    "site.member_added": "gave {target} a site",
    "site.member_removed": "took a site from {target}",
    "chart.opened": "opened {what}",
    "patient.searched": "searched for patients",
    "patient.registered": "registered the patient",
    "patient.amended": "amended the patient's data",
    "appointment.booked": "booked the visit",
    "appointment.moved": "moved the visit",
    "appointment.cancelled": "cancelled the visit",
    "appointment.confirmed": "confirmed the visit",
    "appointment.move_requested": "asked for another time",
    "appointment.checked_in": "checked the patient in",
    "appointment.check_in_undone": "undid the check-in",
    "appointment.no_show": "noted a no-show",
    "appointment.begun": "started the infusion",
    "appointment.finished": "finished the visit",
    "checklist.passed_with_override": "let the checklist pass with an override",
    "order.dose_noted": "noted a given dose on the order",
}
GROUPS = {
    "appointment": "Visits",
    "chart": "Charts opened",
    "checklist": "Checklists",
    "dose": "Dose records",
    "order": "Orders",
    "patient": "Patients",
    "product": "Products",
    "reminder": "Reminders",
    "staff": "Staff and sign-in",
}
ICONS = {
    "appointment": "calendar-days",
    "chart": "book-open",
    "checklist": "list-checks",
    "dose": "droplets",
    "order": "file-text",
    "patient": "user-round",
    "allergy": "octagon-alert",
    "risk": "triangle-alert",
    "weight": "activity",
    "reminder": "bell",
    "staff": "users-round",
}


@dataclass(frozen=True)
class Sentence:
    event: AuditEvent
    actor: str
    text: str
    icon: str
    details: list[tuple[str, str]]


def present(event: AuditEvent) -> Sentence:
    """An action without a sentence of its own reads from its words: dose.rate_changed -> rate changed: dose record."""
    noun, _, verb = event.action.partition(".")
    detail = event.detail if isinstance(event.detail, dict) else {}
    if event.action in SENTENCES:
        text = SENTENCES[event.action].format(target=event.target_name, what=detail.get("what", "the chart"))
    else:
        text = f"{noun.replace('_', ' ')}: {verb.replace('_', ' ')}"
    return Sentence(event, event.actor_name, text, ICONS.get(noun, "circle"), details_of(detail))


def details_of(detail: dict) -> list[tuple[str, str]]:
    """Codes, ids and field names as label and text; empty ones left out."""
    return [
        (name.replace("_", " "), ", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for name, value in detail.items()
        if value not in ("", None, [], {}) and name != "what"
    ]
