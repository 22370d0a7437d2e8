"""The course of one infusion as a value: what rules, clocks and pages look at. Reads only what was fetched before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from infusions.doses import titration, volume
from infusions.doses.medication_models import MedicationGiven
from infusions.doses.models import DoseRecord, Phase, RateChange, VialUsed, VitalSigns
from infusions.doses.reaction_models import Reaction, ReactionStep
from infusions.doses.titration import NextStep, Step

NEEDED_SIGNS = {
    "temperature_c": "temperature",
    "systolic": "systolic pressure",
    "diastolic": "diastolic pressure",
    "pulse": "pulse",
}


@dataclass(frozen=True)
class Course:
    """A record with its parts in order of time. Build it with `course_of`."""

    record: DoseRecord
    vials: tuple[VialUsed, ...]
    rates: tuple[RateChange, ...]
    vital_signs: tuple[VitalSigns, ...]
    reactions: tuple[Reaction, ...]
    reaction_steps: tuple[ReactionStep, ...] = ()
    medications: tuple[MedicationGiven, ...] = ()

    @property
    def state(self) -> str:
        return self.record.state

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return steps_of(self.record.plan)

    @cached_property
    def vials_g(self) -> Decimal:
        return sum((vial.grams for vial in self.vials), Decimal(0))

    @cached_property
    def vials_ml(self) -> Decimal:
        return (self.vials_g * 1000 / self.concentration_mg_per_ml).quantize(volume.CENTILITRE)

    @property
    def missing_g(self) -> Decimal:
        return max(Decimal(0), self.record.planned_g - self.vials_g)

    @property
    def concentration_mg_per_ml(self) -> Decimal:
        return Decimal(self.record.plan["concentration_mg_per_ml"])

    @property
    def to_give_ml(self) -> Decimal:
        """The planned volume, or what the vials hold when that is less: what the pump is told to give."""
        return min(self.record.planned_volume_ml, self.vials_ml) if self.vials else self.record.planned_volume_ml

    @property
    def rate_ml_per_h(self) -> Decimal:
        return volume.current_rate(self.rates)

    @property
    def last_rate_ml_per_h(self) -> Decimal:
        return volume.last_running_rate(self.rates)

    @property
    def step(self) -> Step:
        return titration.step_running(self.steps, self.last_rate_ml_per_h)

    @property
    def next_step(self) -> NextStep | None:
        return titration.next_step(self.steps, self.rates)

    def given_ml(self, now: dt.datetime) -> Decimal:
        if self.record.volume_given_ml is not None:
            return self.record.volume_given_ml
        return volume.volume_given_ml(self.rates, now, self.to_give_ml)

    def given_percent(self, now: dt.datetime) -> int:
        return int(self.given_ml(now) * 100 / self.to_give_ml) if self.to_give_ml else 0

    def projected_end(self, now: dt.datetime) -> dt.datetime | None:
        return titration.projected_end(self.steps, self.rates, now, self.to_give_ml)

    def mg_per_kg_per_min(self, rate_ml_per_h: Decimal) -> Decimal:
        """The rate in the unit of labels. Source: fact sheet, arithmetic used everywhere."""
        rate = rate_ml_per_h * self.concentration_mg_per_ml / 60 / self.record.weight_kg
        return rate.quantize(Decimal("0.01"))

    def signs_of(self, phase: str) -> VitalSigns | None:
        """The last vital signs of a phase."""
        return next((signs for signs in reversed(self.vital_signs) if signs.phase == phase), None)

    def signs_lacking(self, phase: str) -> list[str]:
        return signs_lacking(signs for signs in self.vital_signs if signs.phase == phase)

    @property
    def baseline(self) -> VitalSigns | None:
        return self.signs_of(Phase.BASELINE)

    @property
    def gravest(self) -> Reaction | None:
        return max(self.reactions, key=lambda reaction: (reaction.grade, reaction.onset_at), default=None)


def signs_lacking(readings: Iterable[VitalSigns]) -> list[str]:
    """What was never measured among these readings; what was left out of one may stand in the next."""
    kept = list(readings)
    return [words for name, words in NEEDED_SIGNS.items() if all(getattr(one, name) is None for one in kept)]


def steps_of(plan: dict) -> tuple[Step, ...]:
    return tuple(
        Step(
            number=number,
            rate_ml_per_h=Decimal(step["rate_ml_per_h"]),
            mg_per_kg_per_min=Decimal(step["mg_per_kg_per_min"]),
            minutes=step["minutes"],
            volume_ml=Decimal(step["volume_ml"]),
        )
        for number, step in enumerate(plan["steps"], start=1)
    )


def course_of(record: DoseRecord) -> Course:
    """The course of a record; no queries when it came from queries.records_with_parts."""
    return Course(
        record=record,
        vials=tuple(sorted(record.vials.all(), key=lambda vial: (vial.recorded_at, vial.pk))),
        rates=tuple(sorted(record.rates.all(), key=lambda rate: (rate.at, rate.pk))),
        vital_signs=tuple(sorted(record.vital_signs.all(), key=lambda signs: (signs.at, signs.pk))),
        reactions=tuple(sorted(record.reactions.all(), key=lambda reaction: (reaction.onset_at, reaction.pk))),
        reaction_steps=tuple(sorted(record.reaction_steps.all(), key=lambda step: (step.at, step.pk))),
        medications=tuple(sorted(record.medications.all(), key=lambda one: (one.at, one.pk))),
    )


def observation_of(record: DoseRecord) -> dt.timedelta:
    """How long the patient is watched: as booked, and longer where another brand than the ordered one was taken.

    Source: fact sheet 4, an hour after a change of brand.
    """
    visit = record.appointment
    minutes = visit.observation_minutes
    if record.product_id != record.order.product_id:
        minutes = max(minutes, visit.site.first_observation_minutes)
    return dt.timedelta(minutes=minutes)
