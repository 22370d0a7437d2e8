"""Writes audit events, inside the transaction of the change that they speak of."""

from collections.abc import Iterable

from infusion_center.audit.context import origin
from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock

BATCH = 500


def record(action: str, target, *, by, patient=None, site=None, **detail) -> AuditEvent:
    """Record that `by` (a user, or None for the system or a patient) did `action` to `target`.

    `detail` holds codes, ids and names of fields; never clinical text.
    """
    event = _event(action, target, by=by, patient=patient, site=site, detail=detail)
    event.save(force_insert=True)
    return event


def record_opening(target, *, by, patient, what: str) -> AuditEvent:
    """Record that somebody looked at a patient's data; `what` names the page."""
    return record("chart.opened", target, by=by, patient=patient, what=what)


def record_openings(patients: Iterable, *, by, what: str) -> None:
    """The same for every patient of a list, in a few statements however long it is."""
    AuditEvent.objects.bulk_create(
        (
            _event("chart.opened", patient, by=by, patient=patient, site=None, detail={"what": what})
            for patient in patients
        ),
        batch_size=BATCH,
    )


def _event(action: str, target, *, by, patient, site, detail: dict) -> AuditEvent:
    here = origin()
    here.recorded = True
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
