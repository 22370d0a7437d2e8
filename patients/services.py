"""Writes to patients: register and amend. Facts that are dated and retracted (weights, allergies) are in facts.py."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import F

from infusion_center.audit import services as audit
from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.rules import Problem, RuleViolation, Severity, blocker
from patients import facts, queries, rules
from patients.facts import record_allergy, record_risk, record_weight, retract_fact, set_contact_consent
from patients.models import Patient
from patients.search_keys import write_search_keys
from patients.site_models import PatientSite
from patients.site_services import note_site, treat_here

__all__ = [
    "amend_patient",
    "note_site",
    "record_allergy",
    "record_risk",
    "record_weight",
    "register_patient",
    "retract_fact",
    "set_contact_consent",
    "treat_here",
]

# All that a form may change; the version, the ids, the time stamps and whether it is a test are not among it.
KEPT = {"id", "public_id", "created_at", "updated_at", "version", "is_test"}
AMENDABLE = frozenset(field.name for field in Patient._meta.concrete_fields) - KEPT
# A change of one of these may make the patient look like another one.
IDENTIFYING = frozenset({"mrn", "given_name", "family_name", "chosen_name", "date_of_birth", "email", "phone"})


@transaction.atomic
def register_patient(
    *,
    by,
    site,
    weight_kg: Decimal | None = None,
    measured_on: dt.date | None = None,
    allergies: Iterable[str] = (),
    other_allergy: str = "",
    risks: Iterable[str] = (),
    consents: Mapping[str, bool | None] | None = None,
    consented_on: dt.date | None = None,
    accepted: Collection[str] = (),
    now: dt.datetime | None = None,
    **fields,
) -> Patient:
    """Register a patient, treated at `site`, with the facts known on the first day.

    `consents` maps channel to yes or no (None: not asked). `accepted` holds codes of problems that `by` saw and
    decided to accept, such as possible-duplicate. Raises RuleViolation.
    """
    now = now or clock.now()
    patient = unsaved_patient(**fields)
    consents = {channel: answer for channel, answer in (consents or {}).items() if answer is not None}
    if weight_kg is not None:
        measured_on = measured_on or clock.local_date(now, patient.time_zone)
    problems = registration_problems(
        patient, by=by, weight_kg=weight_kg, measured_on=measured_on, consents=consents, now=now
    )
    overruled = rules.refuse_unless_accepted(problems, accepted)
    _save(patient)
    PatientSite.objects.create(patient=patient, site=site, added_at=now, added_by=by)
    audit.record("patient.registered", patient, by=by, patient=patient, site=site, accepted=overruled)
    if weight_kg is not None:
        facts.record_weight(patient=patient, kg=weight_kg, measured_on=measured_on, by=by, accepted=accepted, now=now)
    for code in allergies:
        facts.record_allergy(patient=patient, code=code, by=by, now=now)
    if other_allergy.strip():
        facts.record_allergy(patient=patient, code="other", text=other_allergy, by=by, now=now)
    for code in risks:
        facts.record_risk(patient=patient, code=code, by=by, now=now)
    for channel, answer in consents.items():
        facts.set_contact_consent(
            patient=patient, channel=channel, consents=answer, by=by, decided_on=consented_on, now=now
        )
    return patient


def registration_problems(
    patient: Patient,
    *,
    by=None,
    weight_kg: Decimal | None = None,
    measured_on: dt.date | None = None,
    consents: Mapping[str, bool] | None = None,
    others: Iterable[Patient] | None = None,
    now: dt.datetime,
) -> list[Problem]:
    """What stands against registering an unsaved patient; nothing is written.

    `by`: of patients whom this person does not see, no more is told than that they are registered. `others`: who may be
    the same person, where somebody looked for many patients at once.
    """
    problems = _problems_with(patient, now, by, others=others)
    problems += rules.consent_problems(consents or {}, email=patient.email, phone=str(patient.phone))
    if weight_kg is not None:
        measured_on = measured_on or clock.local_date(now, patient.time_zone)
        # Asked here already, so that a person decides about everything at once.
        problems += _problems_with_first_weight(patient, rules.Weighing(weight_kg, measured_on), now)
    return problems


def unsaved_patient(**fields) -> Patient:
    """As registering would save him, tidied."""
    return Patient(**_tidied(fields))


@transaction.atomic
def amend_patient(
    *, patient: Patient, version: int, by, accepted: Collection[str] = (), now: dt.datetime | None = None, **fields
) -> Patient:
    """Change some fields of the patient as he was at `version`.

    Raises RuleViolation stale-version, naming the fields, when somebody else was faster; nothing is written then.
    """
    now = now or clock.now()
    unknown = fields.keys() - AMENDABLE
    if unknown:
        raise TypeError(f"not amendable: {', '.join(sorted(unknown))}")
    # The portable lock: of two amendments of one version only one finds its row.
    if not Patient.objects.filter(pk=patient.pk, version=version).update(version=F("version") + 1):
        raise RuleViolation([_stale(patient, version)])
    patient = Patient.objects.get(pk=patient.pk)
    before = {name: getattr(patient, name) for name in fields}
    for name, value in _tidied(fields).items():
        setattr(patient, name, value)
    changed = sorted(name for name in fields if getattr(patient, name) != before[name])
    overruled = rules.refuse_unless_accepted(_problems_with(patient, now, by, changed), accepted)
    _save(patient)
    audit.record(
        "patient.amended", patient, by=by, patient=patient, fields=changed, version=version + 1, accepted=overruled
    )
    return patient


def changes_since(patient: Patient, version: int) -> tuple[list[str], list[str]]:
    """(fields, people): what was amended after `version`, and by whom."""
    events = AuditEvent.objects.filter(
        target_type="patient", target_id=patient.public_id, action="patient.amended", detail__version__gt=version
    ).order_by("at", "id")
    fields = {name for event in events for name in event.detail["fields"]}
    return sorted(fields), list(dict.fromkeys(event.actor_name for event in events))


def _tidied(fields: dict) -> dict:
    """Text without stray spaces; numbers and codes in the one form in which they are compared."""
    tidy = {name: " ".join(value.split()) if isinstance(value, str) else value for name, value in fields.items()}
    for name in ("mrn", "diagnosis_code"):
        if name in tidy:
            tidy[name] = tidy[name].upper()
    code = tidy.get("diagnosis_code", "")
    if len(code) > 3 and "." not in code:
        tidy["diagnosis_code"] = f"{code[:3]}.{code[3:]}"
    if tidy.get("email"):
        tidy["email"] = tidy["email"].lower()
    return tidy


def _problems_with(
    patient: Patient,
    now: dt.datetime,
    by,
    changed: Collection[str] | None = None,
    others: Iterable[Patient] | None = None,
) -> list[Problem]:
    """`changed` limits the look for duplicates to amendments that could make one."""
    problems = rules.field_problems(patient)
    if any(problem.severity == Severity.BLOCKER for problem in problems):
        return problems
    problems += rules.birth_problems(patient.date_of_birth, clock.local_date(now, patient.time_zone))
    if changed is None or IDENTIFYING & set(changed):
        if others is None:
            others = queries.possible_duplicates(
                mrn=patient.mrn,
                date_of_birth=patient.date_of_birth,
                email=patient.email,
                phone=str(patient.phone),
                except_for=patient if patient.pk else None,
                seen_by=by,
            )
        problems += rules.duplicate_problems(patient, others)
    return problems


def _problems_with_first_weight(patient: Patient, weighing: rules.Weighing, now: dt.datetime) -> list[Problem]:
    today = facts.latest_day(patient, now)
    if patient.date_of_birth is None or patient.date_of_birth > today:
        return []  # told already, at the field that is wrong
    return rules.weight_problems(weighing, date_of_birth=patient.date_of_birth, today=today)


def _save(patient: Patient) -> None:
    try:
        with transaction.atomic():
            patient.save()
    except IntegrityError as refused:
        # Somebody took the number since the look for duplicates.
        raise RuleViolation(
            [blocker("mrn-taken", f"The MRN {patient.mrn} was just given to somebody else.", field="mrn")]
        ) from refused
    write_search_keys(patient)


def _stale(patient: Patient, version: int) -> Problem:
    fields, people = changes_since(patient, version)
    labels = [str(Patient._meta.get_field(name).verbose_name) for name in fields] or ["the record"]
    return blocker(
        "stale-version",
        f"{' and '.join(people) or 'Somebody'} changed {', '.join(labels)} since you opened this form.",
        remedy="Your entries are kept below: compare, then save again.",
    )
