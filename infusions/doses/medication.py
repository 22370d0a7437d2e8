"""What is given besides the immune globulin: premedication, fluids, treatment of a reaction, the flush of the line."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction

from infusion_center.core import clock
from infusion_center.core.rules import Problem, blocker, refuse_if_blocking
from infusions.doses.medication_models import DoseUnit, MedicationGiven, Purpose, Route
from infusions.doses.models import DoseRecord, DoseState
from infusions.doses.reaction_models import Reaction
from infusions.doses.writing import keep, lock

SAME_PRESS = dt.timedelta(minutes=1)
LONGEST_BEFORE = dt.timedelta(hours=24)
# More than this at once is a slip of the finger. Ours (U); of epinephrine: fact sheet 5, 0.3 to 0.5 mg at a time.
MOST: dict[str, Decimal] = {
    DoseUnit.MG: Decimal(5000),
    DoseUnit.ML: Decimal(3000),
    DoseUnit.G: Decimal(20),
    DoseUnit.UG: Decimal(5000),
    DoseUnit.UNITS: Decimal(10000),
}
MOST_BY_NEEDLE_ML, MOST_EPINEPHRINE_MG = Decimal(10), Decimal(1)
IN_MG = {DoseUnit.MG: Decimal(1), DoseUnit.UG: Decimal("0.001"), DoseUnit.G: Decimal(1000)}


def medication_problems(
    record: DoseRecord,
    *,
    name: str,
    dose: Decimal,
    unit: str,
    route: str,
    at: dt.datetime,
    now: dt.datetime,
    reaction: Reaction | None = None,
) -> list[Problem]:
    """Source: fact sheet 5, per-dose record (premedication, reactions with act); limits ours (U)."""
    if record.state == DoseState.SIGNED:
        return [blocker("signed", "The record is signed.", remedy="Amend it instead.")]
    problems = []
    if not name.strip():
        problems.append(blocker("medication-name-missing", "Write what was given.", field="name"))
    if dose <= 0:
        problems.append(blocker("medication-dose-missing", "The dose must be above 0.", field="dose"))
    elif dose > _most(name, unit, route):
        message = f"{dose.normalize():f} {unit} {Route(route).label.lower()} cannot be right."
        problems.append(blocker("medication-dose-implausible", message, field="dose", remedy="Check dose and unit."))
    if at > now:
        problems.append(blocker("medication-ahead", "That time lies ahead.", field="time"))
    elif at < min(record.appointment.start, now) - LONGEST_BEFORE:
        message = "That is more than a day before the visit."
        problems.append(blocker("medication-too-early", message, field="time", remedy="Write it into the notes."))
    if reaction is not None and reaction.record_id != record.pk:
        problems.append(blocker("medication-other-reaction", "That reaction is of another dose.", field="reaction"))
    return problems


def _most(name: str, unit: str, route: str) -> Decimal:
    if "epinephrine" in name.casefold() and unit in IN_MG:
        return MOST_EPINEPHRINE_MG / IN_MG[unit]
    if unit == DoseUnit.ML and route in (Route.IM, Route.SC):
        return MOST_BY_NEEDLE_ML
    return MOST[unit]


@transaction.atomic
def record_medication(
    *,
    record: DoseRecord,
    purpose: str,
    name: str,
    dose: Decimal,
    unit: str,
    route: str,
    at: dt.datetime | None = None,
    reaction: Reaction | None = None,
    note: str = "",
    by,
    now: dt.datetime | None = None,
) -> MedicationGiven:
    """Keep what was given, how much, which way and when. The same once more within a minute adds nothing."""
    now = now or clock.now()
    at, name = at or now, name.strip()[:80]
    lock(record)
    values = {"name": name, "dose": dose, "unit": DoseUnit(unit).value, "route": Route(route).value}
    refuse_if_blocking(medication_problems(record, **values, at=at, now=now, reaction=reaction))
    values |= {"purpose": Purpose(purpose).value, "reaction": reaction}
    same = record.medications.filter(**values, recorded_by=by, recorded_at__gt=now - SAME_PRESS, recorded_at__lte=now)
    if earlier := same.first():
        return earlier
    given = MedicationGiven.objects.create(
        record=record, at=at, note=note.strip()[:200], recorded_at=now, recorded_by=by, **values
    )
    keep("medication_recorded", record, by=by, purpose=given.purpose)
    return given
