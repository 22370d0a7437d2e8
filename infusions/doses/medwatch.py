"""What the FDA's voluntary report (form 3500) asks for, taken from a record and one reaction of it, by its sections.

Source: fact sheet 5, reporting: health workers report by MedWatch, 1-800-FDA-1088, and to the maker.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from infusion_center.core import clock
from infusions.doses.course import Course, course_of
from infusions.doses.history import number, signs_text
from infusions.doses.medication_models import MedicationGiven
from infusions.doses.models import DoseRecord, VialUsed
from infusions.doses.reaction_models import LateReaction, Reaction, ReactionStepKind
from infusions.stock.models import ProductCode
from patients.queries import banner_facts

OUTCOMES = (
    "Death",
    "Life-threatening",
    "Hospital stay, new or longer",
    "Disability or lasting damage",
    "Birth defect",
    "Other serious or important medical event",
)
OUTCOME_OF_GRADE = {4: "Life-threatening", 5: "Death"}


@dataclass(frozen=True)
class Suspect:
    """One lot of the product with its vials: what section D asks for."""

    lot: str
    expires_on: dt.date
    vials: str
    serials: str
    codes: str
    in_use: bool


@dataclass(frozen=True)
class Report:
    record: DoseRecord
    reaction: Reaction | LateReaction
    is_late: bool
    initials: str
    age: int
    weight: str
    began: str
    ended: str
    description: tuple[str, ...]
    outcomes: tuple[tuple[str, bool], ...]
    tests: tuple[str, ...]
    suspects: tuple[Suspect, ...]
    dose: str
    frequency: str
    dates: str
    abated: str
    history: tuple[str, ...]
    concomitant: tuple[str, ...]
    written_at: dt.datetime


def report_of(record: DoseRecord, reaction: Reaction | LateReaction, *, now: dt.datetime) -> Report:
    course, patient = course_of(record), record.patient
    zone_name, is_late = record.appointment.site.time_zone, isinstance(reaction, LateReaction)
    began_on = reaction.onset_on if is_late else clock.local_date(reaction.onset_at, zone_name)
    weight, allergies, risks = banner_facts(patient)
    over = _over(course, reaction)
    grams = f"{number(record.planned_g)} g planned"
    given = record.volume_given_ml
    return Report(
        record=record,
        reaction=reaction,
        is_late=is_late,
        initials=f"{patient.given_name[:1]}. {patient.family_name[:1]}.",
        age=patient.age_on(began_on),
        weight=str(weight) if weight else f"{number(record.weight_kg)} kg",
        began=f"{began_on:%d-%b-%Y}" + ("" if is_late else f", {_wall(reaction.onset_at, zone_name)}"),
        ended=_wall(over, zone_name) if over else "",
        description=_description(reaction, is_late),
        outcomes=tuple((name, OUTCOME_OF_GRADE.get(reaction.grade) == name) for name in OUTCOMES),
        tests=_tests(course, zone_name),
        suspects=_suspects(course, reaction, is_late),
        dose=f"{grams}, {number(given)} mL given" if given is not None else grams,
        frequency=f"every {record.order.interval_days} days",
        dates=_dates(record, zone_name),
        abated=_abated(record, reaction, over, is_late),
        history=(
            *filter(None, [patient.diagnosis_text, str(record.order.indication)]),
            *(f"Allergy or intolerance: {one}" for one in allergies),
            *(f"Risk: {one}" for one in risks),
        ),
        concomitant=_concomitant(record, zone_name),
        written_at=now,
    )


def _wall(instant: dt.datetime, zone_name: str) -> str:
    return f"{clock.to_local(instant, zone_name):%H:%M}"


def _over(course: Course, reaction: Reaction | LateReaction) -> dt.datetime | None:
    if isinstance(reaction, LateReaction):
        return None
    kind = ReactionStepKind.RESOLVED
    return next((s.at for s in course.reaction_steps if s.reaction_id == reaction.pk and s.kind == kind), None)


def _description(reaction: Reaction | LateReaction, is_late: bool) -> tuple[str, ...]:
    first = f"{reaction.get_kind_display()}, CTCAE grade {reaction.grade}."
    if is_late:
        where = f"Learned of later, from: {reaction.learned_from}."
    elif reaction.rate_ml_per_h:
        given = f" after {number(reaction.volume_ml)} mL" if reaction.volume_ml is not None else ""
        where = f"Began at {number(reaction.rate_ml_per_h)} mL/h{given}."
    else:
        where = "Began after the infusion had ended."
    return first, where, f"Done: {reaction.action}.", *filter(None, [reaction.notes])


def _tests(course: Course, zone_name: str) -> tuple[str, ...]:
    """Vital signs of the day: before, and the last four."""
    shown = dict.fromkeys([*course.vital_signs[:1], *course.vital_signs[-4:]])
    return tuple(f"{_wall(s.at, zone_name)} {s.get_phase_display().lower()}: {signs_text(s)}" for s in shown)


def _suspects(course: Course, reaction: Reaction | LateReaction, is_late: bool) -> tuple[Suspect, ...]:
    by_lot: dict[tuple[str, dt.date], list[VialUsed]] = {}
    for vial in course.vials:
        by_lot.setdefault((vial.lot, vial.expires_on), []).append(vial)
    codes = ProductCode.objects.filter(product=course.record.product).values_list("grams", "gtin")
    in_use = (reaction.lots or []) if not is_late else []
    return tuple(
        Suspect(
            lot=lot,
            expires_on=expires_on,
            vials=" + ".join(f"{number(vial.grams)} g" for vial in vials),
            serials=", ".join(filter(None, [vial.serial for vial in vials])),
            codes=", ".join(sorted({gtin for grams, gtin in codes if grams in {vial.grams for vial in vials}})),
            in_use=is_late or lot in in_use,
        )
        for (lot, expires_on), vials in by_lot.items()
    )


def _dates(record: DoseRecord, zone_name: str) -> str:
    day = f"{clock.local_date(record.started_at, zone_name):%d-%b-%Y}"
    until = f" to {_wall(record.ended_at, zone_name)}" if record.ended_at else ", still running"
    return f"{day}, {_wall(record.started_at, zone_name)}{until}"


def _abated(record: DoseRecord, reaction, over: dt.datetime | None, is_late: bool) -> str:
    """Whether it went away once the product was stopped or slowed; never guessed."""
    if is_late:
        return "does not apply: it began after the infusion"
    if over is None:
        return "not on record"
    stopped = record.ended_at is not None and record.ended_at <= over
    return "over after the infusion was stopped" if stopped else "over while the infusion went on"


def _concomitant(record: DoseRecord, zone_name: str) -> tuple[str, ...]:
    given = MedicationGiven.objects.filter(record=record).order_by("at", "pk")
    lines = [
        f"{one.name} {number(one.dose)} {one.unit}, {one.get_route_display().lower()}, {_wall(one.at, zone_name)}"
        for one in given
    ]
    return (*([f"Ordered before: {record.order.premedication}"] if record.order.premedication else []), *lines)
