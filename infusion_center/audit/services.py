"""Writes audit events, inside the transaction of the change that they speak of."""

from collections.abc import Iterable

from infusion_center.audit.context import current_origin, origin
from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock

BATCH = 500


def record(action: str, target, *, by, patient=None, site=None, **detail) -> AuditEvent:
    """Record that `by` (a user, or None for the system or a patient) did `action` to `target`.

    `detail` holds codes, ids and names of fields; never clinical text.
    """
    event = _event(action, target, by=by, patient=patient, site=site, detail=detail)
    event.save(force_insert=True)
    origin().written.append(event)
    return event


def record_opening(target, *, by, patient, what: str) -> AuditEvent:
    """Record that somebody looked at a patient's data; `what` names the page."""
    return record("chart.opened", target, by=by, patient=patient, what=what)


def will_open(target, *, by, patient, what: str) -> None:
    """Record the same once the page is shown: for a form, whose success leads elsewhere and leaves its change only.

    By whichever method it was asked for. Made up now: what a refused form put into the row is no name for the trail.
    """
    event = _event("chart.opened", target, by=by, patient=patient, site=None, detail={"what": what})
    if current_origin.get() is None:
        _write_openings([event])
    else:
        origin().to_open.append(event)


def record_openings(patients: Iterable, *, by, what: str) -> None:
    """The same for every patient of a list, in a few statements however long it is."""
    _write_openings(
        [
            _event("chart.opened", patient, by=by, patient=patient, site=None, detail={"what": what})
            for patient in patients
        ]
    )


def record_what_opened() -> None:
    """What the page was going to show, now that it does: once a patient, and only if nothing else was left of him."""
    wanted = {event.patient_id: event for event in reversed(origin().to_open)}
    left = {event.patient_id for event in standing([one for one in origin().written if one.patient_id in wanted])}
    _write_openings([event for patient_id, event in wanted.items() if patient_id not in left])


def standing(events: list[AuditEvent]) -> list[AuditEvent]:
    """Those of this request's events that are kept: what was refused half-way took its events back."""
    if not events:
        return []
    kept = AuditEvent.objects.filter(pk__in=[event.pk for event in events[-BATCH:]])
    codes = set(kept.values_list("mac", flat=True))  # a number that was taken back may be another's now
    return [event for event in events if event.mac in codes]


def _write_openings(events: list[AuditEvent]) -> None:
    AuditEvent.objects.bulk_create(events, batch_size=BATCH)
    origin().written.extend(events)


def _event(action: str, target, *, by, patient, site, detail: dict) -> AuditEvent:
    here = origin()
    return AuditEvent(
        at=clock.now(),
        action=action,
        actor_id=by.pk if by is not None else None,
        actor_name=by.full_name if by is not None else detail.pop("actor", "System"),
        target_type=target._meta.model_name,
        target_id=str(getattr(target, "public_id", target.pk)),
        target_name=str(target)[:200],
        patient_id=patient.public_id if patient is not None else "",
        site_id=site.public_id if site is not None else "",
        detail=detail,
        address=here.address,
        path=here.path,
        device=here.device,
    )
