"""Breaking the glass: find the patient, open, prolong, close and review an emergency access."""

import datetime as dt

from django.db import transaction

from infusion_center.accounts.models import User
from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker, refuse_if_blocking
from patients import emergency_rules as rules
from patients.emergency_mail import tell_managers
from patients.emergency_models import EmergencyAccess
from patients.emergency_queries import found_lately, open_access, patients_named, wrong_tries
from patients.models import Patient


def find_for_emergency(
    *, by, mrn: str = "", family_name: str = "", date_of_birth: dt.date | None = None, given_name: str = "", now=None
) -> Patient | None:
    """The one patient who is named exactly so; None, and counted, when there is none. Raises RuleViolation."""
    now = now or clock.now()
    refuse_if_blocking(rules.person_problems(by))
    with transaction.atomic():
        _one_at_a_time(by)
        refuse_if_blocking(rules.try_problems(wrong_tries(by, now)))
        found = patients_named(mrn=mrn, family_name=family_name, date_of_birth=date_of_birth, given_name=given_name)
        refuse_if_blocking(rules.found_problems({one.public_id for one in found}, found_lately(by, now)))
        if len(found) == 1:
            audit.record("emergency.found", found[0], by=by, patient=found[0], sought_by="mrn" if mrn else "name")
            return found[0]
        audit.record("emergency.not_found", by, by=by, sought_by="mrn" if mrn else "name", several=len(found) > 1)
    if found:  # outside the transaction: the try is counted
        raise RuleViolation([_several_fit()])
    return None


@transaction.atomic
def open_emergency_access(*, patient: Patient, kind: str, reason: str, by, now=None) -> EmergencyAccess:
    """An hour in which `by` may read this chart. The managers are told once it is written. Raises RuleViolation."""
    now, reason = now or clock.now(), _tidied(reason)
    _one_at_a_time(by)
    is_visible = Patient.objects.visible_to(by).filter(pk=patient.pk).exists()
    refuse_if_blocking(
        rules.person_problems(by)
        + rules.reason_problems(kind, reason)
        + rules.opening_problems(is_visible=is_visible, standing=open_access(by, patient, now))
    )
    return _opened("emergency.opened", patient, kind, reason, by, now)


@transaction.atomic
def extend_emergency_access(*, access: EmergencyAccess, kind: str, reason: str, by, now=None) -> EmergencyAccess:
    """Another hour after the first, once, for a reason of its own: a row of its own. Raises RuleViolation."""
    now, reason = now or clock.now(), _tidied(reason)
    access = _locked(access)
    is_extended = EmergencyAccess.objects.filter(extends=access).exists()
    refuse_if_blocking(
        rules.person_problems(by)
        + _not_ones_own(access, by)
        + rules.reason_problems(kind, reason)
        + rules.extension_problems(access, now, is_extended=is_extended)
    )
    return _opened("emergency.extended", access.patient, kind, reason, by, now, extends=access)


@transaction.atomic
def close_emergency_access(*, access: EmergencyAccess, by, now=None) -> int:
    """Close all that this person has open for this patient: how many it were."""
    now = now or clock.now()
    refuse_if_blocking(_not_ones_own(access, by))
    mine = EmergencyAccess.objects.open(now).filter(user=by, patient=access.patient)
    standing = list(mine.select_for_update().order_by("pk"))
    EmergencyAccess.objects.filter(pk__in=[one.pk for one in standing]).update(closed_at=now)
    for one in standing:
        audit.record("emergency.closed", one, by=by, patient=one.patient, emergency=one.public_id)
    return len(standing)


@transaction.atomic
def review_emergency_access(*, access: EmergencyAccess, note: str, by, now=None) -> EmergencyAccess:
    """A manager who was not the person looked at it and says what he found. Raises RuleViolation."""
    access, note = _locked(access), _tidied(note)
    refuse_if_blocking(rules.review_problems(access, by, note))
    access.reviewed_at, access.reviewed_by, access.review_note = now or clock.now(), by, note
    access.save(update_fields=["reviewed_at", "reviewed_by", "review_note"])
    audit.record("emergency.reviewed", access, by=by, patient=access.patient, reviewed=access.public_id)
    return access


def _opened(action: str, patient: Patient, kind: str, reason: str, by, now, extends=None) -> EmergencyAccess:
    access = EmergencyAccess.objects.create(
        patient=patient,
        user=by,
        kind=kind,
        reason=reason,
        extends=extends,
        opened_at=now,
        ends_at=(extends.ends_at if extends else now) + rules.OPEN_FOR,
    )
    audit.record(action, access, by=by, patient=patient, reason=kind, emergency=access.public_id)
    transaction.on_commit(lambda: tell_managers(access))
    return access


def _one_at_a_time(user) -> None:
    """Tries and openings of one person follow each other: five guesses at once would all count as the first."""
    User.objects.select_for_update().get(pk=user.pk)


def _locked(access: EmergencyAccess) -> EmergencyAccess:
    return EmergencyAccess.objects.select_for_update().get(pk=access.pk)


def _tidied(text: str) -> str:
    return " ".join(text.split())


def _not_ones_own(access: EmergencyAccess, by):
    return [] if access.user_id == by.pk else [blocker("not-ones-own", "This is somebody else's emergency access.")]


def _several_fit():
    return blocker(
        "several-fit",
        "More than one patient has this name and date of birth.",
        field="given_name",
        remedy="Type the given name too, or the MRN.",
    )
