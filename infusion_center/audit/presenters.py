"""Turns audit events into sentences: who did what to what."""

from dataclasses import dataclass

from infusion_center.audit.models import AuditEvent

# What happened, said after the actor's name; {target}: the name that it had then; {what}: from the detail.
SENTENCES = {
    "database.restored": "put the data back as they were in a backup; what came later is not there",
    "after_care.called": "noted a call about what was reported after the visit",
    "after_care.reported_by_patient": "reported after the visit",
    "address.blocked": "stopped mail to the patient's address",
    "address.unblocked": "let mail go to the patient's address again",
    "appointment.checked_in": "checked the patient in",
    "appointment.check_in_undone": "undid the check-in",
    "appointment.begun": "started the infusion",
    "appointment.move_requested": "asked for another time",
    "appointment.no_show": "noted a no-show",
    "appointment.told_cancelled": "told the patient by phone that the visit is cancelled",
    "appointment.reseated": "changed chair or nurse of the visit",
    "appointment.pinned": "pinned chair and nurse of the visit",
    "appointment.unpinned": "let chair and nurse of the visit be changed again",
    "calendar_feed.made": "made an address for the own calendar",
    "calendar_feed.read": "read the calendar feed of {target}",
    "calendar_feed.revoked": "revoked the address of the own calendar",
    "chair.put_back": "put a chair back into service",
    "chair.taken_out": "took a chair out of service",
    "chart.opened": "opened {what}",
    "checklist.hold_step": "noted what was done about a checklist that did not pass",
    "checklist.overridden": "overrode a problem of the checklist",
    "checklist.passed_with_override": "let the checklist pass with an override",
    "checklist.reported_by_patient": "reported before the visit",
    "checklist.template_loaded": "loaded the checklist questions",
    "checklist_template.discarded": "discarded a draft of the checklist questions",
    "checklist_template.drafted": "began to change the checklist questions",
    "checklist_template.item_added": "added a question to {target}",
    "checklist_template.item_amended": "changed a question of {target}",
    "checklist_template.item_moved": "moved a question of {target}",
    "checklist_template.item_removed": "removed a question from {target}",
    "checklist_template.published": "put {target} into use",
    "checklist_template.section_moved": "moved a section of {target}",
    "checklist_template.section_renamed": "renamed a section of {target}",
    "dose.ended": "ended the infusion",
    "dose.observation_ended": "ended the observation",
    "dose.paused": "paused the infusion",
    "dose.prepared_again": "prepared the infusion again",
    "dose.product_chosen": "chose the product",
    "dose.rate_changed": "changed the rate",
    "dose.late_reaction_recorded": "recorded a reaction learned of later",
    "dose.medwatch_opened": "opened the MedWatch summary of a reaction",
    "dose.reaction_step_recorded": "noted what was done about a reaction",
    "dose.reaction_recorded": "recorded a reaction",
    "dose.resumed": "resumed the infusion",
    "dose.second_checked": "made the second check",
    "dose.started": "started the infusion",
    "dose.vial_added": "added a vial",
    "dose.vial_removed": "removed a vial",
    "dose.vital_signs_recorded": "recorded vital signs",
    "mail_wording.saved": "changed the words of a mail: {target}",
    "mail_wording.reset": "brought the shipped words of a mail back: {target}",
    "nurse.added": "made {target} a nurse whom visits are booked with",
    "nurse.amended": "changed whether {target} is booked as a nurse",
    "offer.accepted": "took the offered time",
    "offer.declined": "declined the offered time",
    "offer.expired": "let the offer of a time end unanswered",
    "offer.lost": "ended an offer whose time was taken",
    "offer.made": "offered a freed time by mail",
    "offer.withdrawn": "withdrew the offer of a time",
    "order.held": "put the order on hold",
    "order.dose_noted": "noted a given dose on the order",
    "patient.amended": "amended the patient's data",
    "patient.searched": "searched for patients",
    "series.booked": "booked a series of visits",
    "recall.contact_noted": "noted a call about a recall",
    "recall.downloaded": "downloaded {what}",
    "recall.searched": "searched for the doses of lots",
    "reminder.resend_requested": "asked to send the reminder again",
    "report.downloaded": "downloaded {what}",
    "shift.called_out": "took hours of {target} off the roster: cannot come",
    "site.hours_changed": "changed the opening hours",
    "site.member_added": "gave {target} a site",
    "site.member_removed": "took a site from {target}",
    "staff.amended": "changed name or initials of {target}",
    "staff.created": "added {target} to the staff",
    "staff.deactivated": "switched off the account of {target}",
    "staff.invited": "sent {target} a mail to set a password",
    "staff.password_set": "set a new password",
    "staff.pin_set": "set a PIN for shared tablets",
    "staff.proof_refused": "typed a wrong password for {target}",
    "staff.reactivated": "switched the account of {target} on again",
    "staff.roles_changed": "changed the roles of {target}",
    "staff.sign_in_failed": "failed to sign in as {target}",
    "staff.signed_in": "signed in",
    "staff.signed_out": "signed out",
    "stock.code_registered": "registered the product number {target}",
    "stock.corrected": "corrected the count of {target}",
    "stock.discarded": "discarded vials: {target}",
    "stock.moved_to_room": "took vials out of the refrigerator: {target}",
    "stock.quarantined": "set vials aside: {target}",
    "stock.received": "received vials: {target}",
    "stock.released": "released vials: {target}",
    "tablet.enrolled": "made a device the shared tablet {target}",
    "tablet.locked": "left the shared tablet {target}, which locked",
    "tablet.pin_refused": "could not be proved by PIN at the shared tablet {target}",
    "tablet.revoked": "revoked the shared tablet {target}",
    "tablet.switched": "took over the shared tablet {target}",
    "tablet.unlocked": "came back to the shared tablet {target}",
    "waitlist.added": "put the patient on the waitlist",
    "waitlist.amended": "changed the waitlist entry",
    "waitlist.booked": "settled the waitlist entry with a visit",
    "waitlist.closed": "closed the waitlist entry",
}
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
    "after_care": "After-care",
    "address": "Mail addresses",
    "appointment": "Visits",
    "calendar_feed": "Calendar feeds",
    "chart": "Charts opened",
    "checklist": "Checklists",
    "checklist_template": "Checklist questions",
    "dose": "Dose records",
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
    "after_care": "phone-call",
    "address": "mail-x",
    "appointment": "calendar-days",
    "calendar_feed": "calendar-sync",
    "chart": "book-open",
    "checklist": "list-checks",
    "checklist_template": "list-checks",
    "dose": "droplets",
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
