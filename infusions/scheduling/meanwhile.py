"""What was done to a visit since somebody looked at it, in words: who is late is told, and overwrites nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from infusion_center.audit.models import AuditEvent
from infusion_center.audit.presenters import present
from infusion_center.core import clock
from infusions.scheduling.models import Appointment

TOLD_AT_MOST = 3


def events_of(appointment_id: str):
    """What was done to the visit of this public id, first to last; that somebody looked at it is not."""
    events = AuditEvent.objects.filter(target_type="appointment", target_id=appointment_id)
    return events.exclude(action="chart.opened").order_by("pk")


def seen_now(appointment_id: str) -> int:
    """What a page carries, so that whatever is done to the visit later can be told. Asked before the visit is read."""
    return events_of(appointment_id).values_list("pk", flat=True).last() or 0


def events_since(appointment: Appointment, *, version: int | None, seen: int | None) -> list[AuditEvent]:
    """Since the page that carried `seen`; else since the first change that `version` did not know."""
    if seen is not None:
        return list(events_of(appointment.public_id).filter(pk__gt=seen))
    events = list(events_of(appointment.public_id))
    unknown = [number for number, event in enumerate(events) if event.detail.get("version", 0) > (version or 0)]
    return events[unknown[0] :] if unknown else []


def told(appointment: Appointment, events: list[AuditEvent]) -> str:
    """Each change as a sentence, the latest ones only where there were many."""
    left_out = len(events) - TOLD_AT_MOST
    sentences = [_sentence(appointment, event) for event in events[-TOLD_AT_MOST:]]
    if left_out > 0:
        sentences.insert(0, f"There were {left_out} earlier change{'s' if left_out > 1 else ''}.")
    return " ".join(sentences)


def told_of_several(visits: Sequence[Appointment], versions: Mapping[str, int]) -> str:
    """The same for visits of which somebody saw these versions (by public id), or other visits; nothing: no change."""
    gone = set(versions) - {visit.public_id for visit in visits}
    left = Appointment.objects.filter(public_id__in=gone).select_related("site").order_by("start")
    changed = [visit for visit in visits if versions.get(visit.public_id) != visit.version] + list(left)
    if not changed:
        return "Some are not there any more." if gone else ""
    sentences = []
    for visit in changed[:TOLD_AT_MOST]:
        events = events_since(visit, version=versions.get(visit.public_id, 0), seen=None) or list(
            events_of(visit.public_id)
        )
        sentences.append(f"{_start_in_words(visit, visit.local_start)}: {told(visit, events[-1:])}")
    more = len(changed) - TOLD_AT_MOST
    return " ".join(sentences) + (f" {more} more were changed." if more > 0 else "")


def last_told(appointment: Appointment) -> str:
    """Who brought the visit to where it is, and when."""
    last = events_of(appointment.public_id).last()
    return told(appointment, [last]) if last else ""


def last_told_of(visits: Sequence[Appointment]) -> str:
    """The same for several visits, each named by its start."""
    named = visits[:TOLD_AT_MOST]
    return " ".join(f"{_start_in_words(visit, visit.local_start)}: {last_told(visit)}" for visit in named)


def stands_at(appointment: Appointment) -> str:
    """expected, Tue 3 Mar 2026 13:00"""
    return f"{appointment.get_state_display().lower()}, {_start_in_words(appointment, appointment.local_start)}"


def _sentence(appointment: Appointment, event: AuditEvent) -> str:
    """Ann Example moved it from Tue 3 Mar 2026 08:00 to Tue 3 Mar 2026 13:00 (today 11:52)."""
    return f"{event.actor_name} {_what(appointment, event)} ({_when(appointment, event.at)})."


def _what(appointment: Appointment, event: AuditEvent) -> str:
    detail, verb = event.detail, event.action.rpartition(".")[2]
    if verb == "moved" and detail.get("before") and detail.get("after"):
        before, after = (_start_in_words(appointment, detail[name]) for name in ("before", "after"))
        return f"moved it from {before} to {after}"
    if verb == "reseated" and detail.get("seat_before") and detail.get("seat_after"):
        return f"changed its place from {detail['seat_before']} to {detail['seat_after']}"
    return {"moved": "moved it", "reseated": "changed its chair or nurse", "cancelled": "cancelled it"}.get(
        verb, present(event).text
    )


def _when(appointment: Appointment, at: dt.datetime) -> str:
    zone = appointment.site.time_zone
    local, today = clock.to_local(at, zone), clock.local_date(clock.now(), zone)
    return f"{'today' if local.date() == today else _day(local)} {_wall(appointment, local)}"


def _start_in_words(appointment: Appointment, local_start: str) -> str:
    local = dt.datetime.fromisoformat(local_start)
    return f"{_day(local)} {_wall(appointment, local)}"


def _day(local: dt.datetime) -> str:
    return f"{local:%a} {local.day} {local:%b %Y}"


def _wall(appointment: Appointment, local: dt.datetime) -> str:
    return f"{local:%H:%M}" if appointment.site.uses_24h_clock else f"{local:%I:%M %p}".lstrip("0")
