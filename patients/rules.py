"""What may be wrong with a patient's data: likely duplicates, implausible dates and weights, missing consent."""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.urls import reverse

from infusion_center.core.rules import (
    Problem,
    RuleViolation,
    Severity,
    blocker,
    codes,
    needs_approval,
    note,
    warning,
)
from patients.models import Channel, Patient, Weight, years_between
from patients.names import names_alike

OLDEST_AGE = 120
WEIGHT_KG = (Decimal(1), Decimal(400))
WEIGHT_CHANGE_PERCENT = Decimal(10)
WEIGHT_FRESH_DAYS = 183
ICD10 = re.compile(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?")
# Up to which age in years, least and greatest weight in kg.
WEIGHT_BY_AGE = ((0, 1, 15), (1, 5, 22), (4, 7, 40), (9, 10, 80), (14, 15, 150), (17, 25, 250), (OLDEST_AGE, 30, 250))


@cache
def known_zones() -> frozenset[str]:
    """Read from disk once: a sheet of patients asks thousands of times."""
    return frozenset(available_timezones())


def field_problems(patient: Patient) -> list[Problem]:
    """What the fields' own validators say, so that no door is laxer than the form."""
    problems = []
    try:
        patient.clean_fields()
    except ValidationError as refused:
        problems = [
            blocker("invalid-field", " ".join(messages), field=field)
            for field, messages in refused.message_dict.items()
        ]
    if patient.time_zone not in known_zones():
        problems.append(blocker("unknown-time-zone", f"{patient.time_zone} is no time zone.", field="time_zone"))
    if patient.diagnosis_code and not ICD10.fullmatch(patient.diagnosis_code):
        problems.append(
            blocker(
                "diagnosis-code-shape",
                f"{patient.diagnosis_code} does not look like an ICD-10-CM code.",
                field="diagnosis_code",
                remedy="Write a letter, two characters, a point and up to four more, such as D83.9.",
            )
        )
    return problems


def birth_problems(date_of_birth: dt.date, today: dt.date) -> list[Problem]:
    if date_of_birth > today:
        return [blocker("born-in-future", "The date of birth lies in the future.", field="date_of_birth")]
    if years_between(date_of_birth, today) > OLDEST_AGE:
        return [blocker("age-implausible", f"This would be an age above {OLDEST_AGE} years.", field="date_of_birth")]
    return []


def duplicate_problems(patient: Patient, others: Iterable[Patient]) -> list[Problem]:
    """Others with the same record number (blocker), or alike in name and with the same birthday, phone or email.

    Of one whom the person does not see (`is_seen` False), no more is told than that he is registered elsewhere.
    """
    problems = []
    for other in others:
        is_seen = getattr(other, "is_seen", True)
        if other.mrn.casefold() == patient.mrn.casefold():
            problems.append(_mrn_taken(other) if is_seen else _mrn_taken_elsewhere())
        elif reasons := _reasons_to_be_one(patient, other):
            problems.append(
                _registered_elsewhere()
                if not is_seen
                else needs_approval(
                    "possible-duplicate",
                    f"{other.name}, born {other.date_of_birth:%d-%b-%Y}, MRN {other.mrn}: {' and '.join(reasons)}.",
                    remedy="Open the chart and compare before you save.",
                    url=other.get_absolute_url(),
                )
            )
    return problems


def _mrn_taken(other: Patient) -> Problem:
    return blocker(
        "mrn-taken",
        f"The MRN {other.mrn} belongs to {other.name}, born {other.date_of_birth:%d-%b-%Y}.",
        field="mrn",
        remedy="Open that chart, or correct the number.",
        url=other.get_absolute_url(),
    )


def _mrn_taken_elsewhere() -> Problem:
    return blocker(
        "mrn-taken",
        "The MRN belongs to a patient who is registered at another site.",
        field="mrn",
        remedy="If it is the same person, treat here too; else correct the number.",
        url=reverse("patients:patient-treat-here"),
    )


def _registered_elsewhere() -> Problem:
    return needs_approval(
        "possible-duplicate",
        "A patient who may be the same is registered at another site.",
        remedy="Ask him. If it is the same person, do not register again: treat here too.",
        url=reverse("patients:patient-treat-here"),
    )


def _reasons_to_be_one(patient: Patient, other: Patient) -> list[str]:
    alike = any(
        names_alike(given, patient.family_name, other_given, other.family_name)
        for given in {patient.given_name, patient.chosen_name} - {""}
        for other_given in {other.given_name, other.chosen_name} - {""}
    )
    if not alike:
        return []
    same = {
        "born the same day": patient.date_of_birth == other.date_of_birth,
        "same phone": bool(patient.phone) and str(patient.phone) == str(other.phone),
        "same email": bool(patient.email) and patient.email.casefold() == other.email.casefold(),
    }
    reasons = [words for words, holds in same.items() if holds]
    return ["similar name", *reasons] if reasons else []


def consent_problems(consents: Mapping[str, bool | None], *, email: str, phone: str) -> list[Problem]:
    """Consent to a channel needs its address; a channel nobody asked about may not be used."""
    problems = []
    addresses = {Channel.EMAIL: (email, "email address"), Channel.PHONE: (phone, "phone number")}
    for channel, (address, words) in addresses.items():
        answer = consents.get(channel)
        if answer and not address:
            problems.append(
                blocker(
                    f"consent-without-{channel.value}",
                    f"There is consent to {channel.label.lower()}, but no {words}.",
                    field=channel.value,
                )
            )
        if answer is None and address:
            problems.append(
                warning(
                    f"{channel.value}-consent-missing",
                    f"Nobody has asked whether we may use the {words}.",
                    remedy="Ask the patient and record the answer.",
                )
            )
    if not any(consents.get(channel) and address for channel, (address, _) in addresses.items()):
        problems.append(
            warning(
                "no-way-to-remind",
                "The patient cannot be reminded: no channel has both an address and consent.",
                remedy="Ask for an email address and for consent.",
            )
        )
    return problems


def decision_problems(
    channel: str, consents: bool, *, decided_on: dt.date, today: dt.date, email: str, phone: str
) -> list[Problem]:
    """One decision about one channel. Saying no is always possible."""
    if channel not in Channel.values:
        return [blocker("unknown-channel", "Choose a channel from the list.", field="channel")]
    if decided_on > today:
        return [blocker("decided-in-future", "The day of the decision lies in the future.", field="decided_on")]
    return [
        p for p in consent_problems({channel: consents}, email=email, phone=phone) if p.severity == Severity.BLOCKER
    ]


@dataclass(frozen=True)
class Weighing:
    kg: Decimal
    measured_on: dt.date

    @classmethod
    def of(cls, weight: Weight | None) -> "Weighing | None":
        return cls(weight.kg, weight.measured_on) if weight else None


def weight_problems(
    new: Weighing, *, date_of_birth: dt.date, today: dt.date, previous: Weighing | None = None
) -> list[Problem]:
    """Is this a believable weight for this patient?

    Change of 10 % or more: Group Health immune globulin order set (call the physician at +/-10 %). Bands by age: CDC
    growth charts (2000), 3rd and 97th percentile, widened generously: they catch slips and pounds typed as kilograms.
    """
    lowest, highest = WEIGHT_KG
    if not lowest <= new.kg <= highest:
        return [
            blocker(
                "weight-out-of-range",
                f"A weight lies between {lowest} and {highest} kg.",
                field="kg",
                remedy="Check the number and that it is in kilograms.",
            )
        ]
    if new.measured_on > today:
        return [blocker("weight-in-future", "The day of weighing lies in the future.", field="measured_on")]
    if new.measured_on < date_of_birth:
        return [blocker("weight-before-birth", "The day of weighing lies before the birth.", field="measured_on")]
    return _implausible_for_age(new, date_of_birth) + weight_change_problems(new, previous)


def _implausible_for_age(new: Weighing, date_of_birth: dt.date) -> list[Problem]:
    years = years_between(date_of_birth, new.measured_on)
    least, greatest = next((low, high) for until, low, high in WEIGHT_BY_AGE if years <= until or until == OLDEST_AGE)
    if least <= new.kg <= greatest:
        return []
    return [
        needs_approval(
            "weight-implausible-for-age",
            f"{new.kg.normalize():f} kg is unusual at {years} years (usually {least} to {greatest} kg).",
            field="kg",
            remedy="Check that it is in kilograms; weigh again if in doubt.",
        )
    ]


def weight_change_problems(new: Weighing, previous: Weighing | None) -> list[Problem]:
    """Source: as weight_problems. The dose was set on the earlier weight."""
    if previous is None:
        return []
    percent = (new.kg - previous.kg) / previous.kg * 100
    if abs(percent) < WEIGHT_CHANGE_PERCENT:
        return []
    return [
        warning(
            "weight-changed",
            f"The weight changed by {percent:+.0f} % since {previous.measured_on:%d-%b-%Y} "
            f"({previous.kg.normalize():f} to {new.kg.normalize():f} kg).",
            remedy="The next dose needs a clinician's decision.",
        )
    ]


def weight_age_problems(weight: Weighing | None, today: dt.date) -> list[Problem]:
    """A weight is needed for every dose and is checked at least every 6 months (Group Health order set)."""
    if weight is None:
        return [
            warning("weight-missing", "No weight is on record: no dose can be computed.", remedy="Weigh the patient.")
        ]
    if (today - weight.measured_on).days > WEIGHT_FRESH_DAYS:
        return [
            note(
                "weight-stale",
                f"The last weight is of {weight.measured_on:%d-%b-%Y}.",
                remedy="Weigh the patient again.",
            )
        ]
    return []


def refuse_unless_accepted(problems: Iterable[Problem], accepted: Collection[str]) -> list[str]:
    """Raise for blockers and for approvals not accepted; the codes that were accepted otherwise."""
    grave = {Severity.BLOCKER, Severity.APPROVAL}
    problems = [problem for problem in problems if problem.severity in grave]
    if any(p.severity == Severity.BLOCKER or p.code not in accepted for p in problems):
        raise RuleViolation(problems)
    return sorted(set(codes(problems)))
