"""What passed between center and patient about a visit: the mails, what became of them, and what the patient answered.

Each line has its own moment; what is still to come stands first, then what happened, newest first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from infusion_center.accounts.roles import Permission
from infusion_center.audit.models import AuditEvent
from infusion_center.audit.presenters import present
from infusions.checklists.patient_reports import advice_for
from infusions.reminders.after_care_models import Urgency
from infusions.reminders.delivery_models import CancellationCall, MailEvent, MailEventKind
from infusions.reminders.models import UNSETTLED, Reminder, ReminderState
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State

MOST = 100  # of each sort; a visit that was moved ten times has some sixty messages
# What patients send has rows of its own, which say more than the trail.
TOLD_BY_ROWS = ("checklist.reported_by_patient", "after_care.reported_by_patient")
CALLED_FOR = (Urgency.EMERGENCY, Urgency.URGENT)


@dataclass(frozen=True)
class Line:
    at: dt.datetime
    text: str
    note: str = ""  # why, or in whose words
    icon: str = "mail"
    url: str = ""
    tone: str = ""  # ahead, bad, answer, or nothing out of the ordinary
    who: str = ""
    needs: Permission = Permission.VIEW_REMINDERS  # to read the note, and to follow the link


def visit_timeline(visit: Appointment, trail: Iterable[AuditEvent], now: dt.datetime) -> list[Line]:
    """`trail`: the audit events of the visit, as its page has them. Six statements at most, however much was sent."""
    lines = [*_message_lines(visit), *_answer_lines(trail), *_report_lines(visit), *_after_care_lines(visit)]
    if visit.state == State.CANCELLED:
        lines += _cancellation_lines(visit)
    return sorted(lines, key=lambda line: (line.at, line.tone == "ahead"), reverse=True)


def _message_lines(visit: Appointment) -> Iterable[Line]:
    reminders = visit.reminders.select_related("requested_by").order_by("-due_at", "-pk")[:MOST]
    yield from (_message_line(reminder) for reminder in reminders)
    events = MailEvent.objects.filter(reminder__appointment=visit).select_related("reminder")
    seen = set()
    for event in events.order_by("-happened_at", "-pk")[:MOST]:
        # A receiver may put a message off every hour: only the last word about it counts.
        if event.kind != MailEventKind.DEFERRED or event.reminder_id not in seen:
            yield _event_line(event)
        seen.add(event.reminder_id)


def _message_line(reminder: Reminder) -> Line:
    name = f"{reminder.get_kind_display()}{' (again)' if reminder.resend_no else ''}"
    wanted = f"Asked for: {reminder.request_reason}" if reminder.request_reason else ""
    url = reverse("reminders:reminder-detail", args=[reminder.public_id])
    if reminder.state in UNSETTLED:
        tried = f"Tried {reminder.tries} times so far: {reminder.detail}" if reminder.detail else ""
        return Line(reminder.due_at, f"{name}: due", tried or wanted, "clock", url, "ahead")
    word = reminder.get_state_display().lower()
    if reminder.state == ReminderState.SENT:
        return Line(reminder.settled_at, f"{name}: {word}", wanted, "mail", url)
    failed = reminder.state == ReminderState.FAILED
    why = ". ".join(filter(None, [reminder.get_reason_display(), reminder.detail if failed else ""]))
    icon, tone = ("octagon-x", "bad") if failed else ("skip-forward", "")
    return Line(reminder.settled_at, f"{name}: {word}", why, icon, url, tone)


def _event_line(event: MailEvent) -> Line:
    faces = {
        MailEventKind.DELIVERED: ("mail-check", ""),
        MailEventKind.DEFERRED: ("hourglass", ""),
        MailEventKind.BOUNCED: ("mail-x", "bad"),
        MailEventKind.COMPLAINED: ("ban", "bad"),
    }
    icon, tone = faces[MailEventKind(event.kind)]
    note = "" if event.kind == MailEventKind.DELIVERED else event.detail
    url = reverse("reminders:reminder-detail", args=[event.reminder.public_id])
    text = f"{event.reminder.get_kind_display()}: {event.get_kind_display().lower()}"
    return Line(event.happened_at, text, note, icon, url, tone)


def _answer_lines(trail: Iterable[AuditEvent]) -> Iterable[Line]:
    """What the patient did by a link: confirmed, asked for another time, cancelled."""
    for event in trail:
        if event.actor_id is None and event.actor_name == "Patient" and event.action not in TOLD_BY_ROWS:
            text = present(event).text
            yield Line(event.at, f"{text[:1].upper()}{text[1:]}", icon="user-round", tone="answer", who="Patient")


def _report_lines(visit: Appointment) -> Iterable[Line]:
    for report in visit.patient_reports.order_by("-reported_at")[:MOST]:
        text = "Answered the questions before the visit"
        grave = advice_for(report.values, may_drink=False) == "call"
        note, tone = ("Was asked to call: signs of infection, or little urine", "bad") if grave else ("", "answer")
        yield Line(report.reported_at, text, note, "list-checks", tone=tone, who="Patient", needs=Permission.VIEW_DOSE)


def _after_care_lines(visit: Appointment) -> Iterable[Line]:
    reports = visit.after_care_reports.prefetch_related("calls__called_by").order_by("-reported_at")
    url = _after_care_url(visit)
    for report in reports[:MOST]:
        wishes = ". Asks for a call" if report.wants_call else ""
        tone = "bad" if report.urgency in CALLED_FOR else "answer"
        note = f"{report.get_urgency_display()}{wishes}"
        asked, needs = "Answered the questions of the day after", Permission.VIEW_DOSE
        yield Line(report.reported_at, asked, note, "activity", url, tone, "Patient", needs)
        for call in report.calls.all():
            text = f"Called: {call.get_outcome_display().lower()}"
            yield Line(call.called_at, text, "", "phone", url, "", call.called_by.full_name, needs)


def _cancellation_lines(visit: Appointment) -> Iterable[Line]:
    for call in CancellationCall.objects.filter(appointment=visit).select_related("called_by"):
        yield Line(call.called_at, "Told by phone: cancelled", icon="phone", who=call.called_by.full_name)


def _after_care_url(visit: Appointment) -> str:
    try:
        return reverse("reminders:after-care-detail", args=[visit.public_id])
    except NoReverseMatch:
        return ""
