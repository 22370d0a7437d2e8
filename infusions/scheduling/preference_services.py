"""Keeps when, where and by whom a patient would like to be seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction

from infusion_center.audit import services as audit
from infusion_center.core.rules import RuleViolation, blocker
from infusions.facility.models import WEEKDAYS, Nurse
from infusions.scheduling.models import BookingPreference
from patients.models import Patient

FIELDS = ("weekdays", "earliest", "latest", "nurse", "chair_kind", "needs_chair_kind")


@transaction.atomic
def set_booking_preference(
    *,
    patient: Patient,
    by,
    weekdays: Collection[int] = (),
    earliest: dt.time | None = None,
    latest: dt.time | None = None,
    nurse: Nurse | None = None,
    chair_kind: str = "",
    needs_chair_kind: bool = False,
    seen: str | None = None,
) -> BookingPreference:
    """Replace the whole preference. `seen`: what `state_of` said when the person opened the form."""
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)  # two people who enter the first one
    preference = preference_of(patient) or BookingPreference(patient=patient)
    if seen is not None and seen != state_of(preference):
        message = "Somebody changed the preference meanwhile."
        raise RuleViolation([blocker("changed-meanwhile", message, remedy="Open the page again, then change it.")])
    if any(day not in dict(WEEKDAYS) for day in weekdays):
        raise RuleViolation([blocker("weekday-unknown", "There is no such weekday.", field="weekdays")])
    if earliest and latest and latest < earliest:
        raise RuleViolation([blocker("hours-backwards", "The latest start lies before the earliest.", field="latest")])
    if needs_chair_kind and not chair_kind:
        message = "Say which kind of chair the patient needs."
        raise RuleViolation([blocker("chair-kind-missing", message, field="chair_kind")])
    entered = {
        "weekdays": sorted(set(weekdays)),
        "earliest": earliest,
        "latest": latest,
        "nurse": nurse,
        "chair_kind": chair_kind,
        "needs_chair_kind": needs_chair_kind,
    }
    changed = [name for name in FIELDS if getattr(preference, name) != entered[name]]
    if not changed:
        return preference
    for name in changed:
        setattr(preference, name, entered[name])
    preference.save()
    audit.record("preference.set", patient, by=by, patient=patient, changed=changed)
    return preference


def preference_of(patient: Patient) -> BookingPreference | None:
    return BookingPreference.objects.filter(patient=patient).select_related("nurse__user").first()


def state_of(preference: BookingPreference | None) -> str:
    """Changes with every change of the preference."""
    return preference.updated_at.isoformat() if preference is not None and preference.pk else "none"


def words_of(preference: BookingPreference | None) -> list[str]:
    """ "Monday or Tuesday", "from 09:00 to 12:00", "Nora Example", "needs a bed"."""
    if preference is None:
        return []
    words = [" or ".join(dict(WEEKDAYS)[day] for day in preference.weekdays)]
    if preference.earliest or preference.latest:
        ends = (("from", preference.earliest), ("to", preference.latest))
        words.append("start " + " ".join(f"{word} {wall:%H:%M}" for word, wall in ends if wall))
    if preference.nurse:
        words.append(preference.nurse.user.full_name)
    if preference.chair_kind:
        kind = preference.get_chair_kind_display().lower()
        words.append(f"needs a {kind}" if preference.needs_chair_kind else kind)
    return [word for word in words if word]
