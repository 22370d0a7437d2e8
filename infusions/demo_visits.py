"""Lives through the booked visits of the demo center up to now: checklists, infusions, reactions, a no-show."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING

from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.checklists import services as checklists
from infusions.checklists.models import ChecklistItem, PreInfusionChecklist
from infusions.demo_stock import Cabinet
from infusions.doses import services as doses
from infusions.doses.medication_presets import Preset, flush_of, ordered_presets
from infusions.doses.models import DoseRecord, DoseState, Phase
from infusions.facility.models import Setting
from infusions.scheduling import attendance
from infusions.scheduling.models import Appointment

if TYPE_CHECKING:
    from infusions.demo import Demo

MINUTE = dt.timedelta(minutes=1)
NUMBERS = {
    "intake-day-before": "1800",
    "intake-today": "500",
    "temperature": "36.7",
    "systolic": "124",
    "diastolic": "76",
    "pulse": "72",
    "respiration": "14",
    "spo2": "98",
    "creatinine": "0.9",
}
VITAL_SIGNS = {
    "temperature_c": Decimal("36.8"),
    "systolic": 122,
    "diastolic": 74,
    "pulse": 74,
    "respiration": 14,
    "spo2_percent": 98,
}
# Which of the past visits went otherwise, counted from the first.
NO_SHOWS = {11, 38}
REACTIONS = {
    7: ("headache", 1, "Slowed to the last tolerated rate, acetaminophen 650 mg."),
    19: ("chills_fever", 2, "Paused, acetaminophen and fluids as ordered."),
    33: ("nausea", 1, "Slowed, fluids by mouth."),
    52: ("rash", 1, "Slowed, watched, settled."),
}
STOPPED_EARLY = {19: "Chills came back: stopped for today.", 33: "Patient asked to stop: nausea."}


def live_through(demo: Demo, now: dt.datetime) -> None:
    """Past visits from arrival to signature; today's as far as they have come by now."""
    past = Appointment.objects.filter(start__lt=now).with_people().order_by("start", "id")
    for number, appointment in enumerate(past):
        try:
            live_visit(demo, number, appointment, now)
        except RuleViolation as refused:
            demo.say(f"Left as it is: {appointment} ({refused})")


def live_visit(demo: Demo, number: int, appointment: Appointment, now: dt.datetime) -> None:
    visit = Visit(demo, appointment, now)
    if number in NO_SHOWS:
        visit.at(60, lambda when: attendance.mark_no_show(appointment=appointment, by=visit.scheduler, now=when))
        return
    visit.at(-5, lambda when: attendance.check_in(appointment=appointment, by=visit.scheduler, now=when))
    visit.at(8, visit.fill_checklist)
    visit.at(25, visit.prepare)
    visit.at(appointment.preparation_minutes, visit.start)
    visit.infuse(REACTIONS.get(number), STOPPED_EARLY.get(number, ""))


class Visit:
    """One visit as it is lived: each act happens at its minute, unless that still lies ahead."""

    def __init__(self, demo: Demo, appointment: Appointment, now: dt.datetime):
        self.demo, self.appointment, self.now = demo, appointment, now
        self.scheduler, self.nurse = self.demo.staff["scheduler"], appointment.nurse.user
        self.second = next(user for user in self.demo.nurses if user != self.nurse)
        self.record: DoseRecord | None = None
        self.has_reacted = False

    def at(self, minute: int, act) -> bool:
        """Do it as of `minute` after the planned start; False when that is still to come."""
        when = self.appointment.start + minute * MINUTE
        if when > self.now:
            return False
        with clock.pretend(when):
            act(when)
        return True

    def fill_checklist(self, when: dt.datetime) -> None:
        run = checklists.start_checklist(appointment=self.appointment, by=self.nurse, now=when)
        values = {item: self.passing_answer(run, item, when) for item in run.template.items.all()}
        answered = {item: value for item, value in values.items() if value is not None}
        checklists.answer_items(run=run, values=answered, by=self.nurse, now=when)
        checklists.close_checklist(run=run, by=self.nurse, now=when)

    def passing_answer(self, run: PreInfusionChecklist, item: ChecklistItem, when: dt.datetime):
        order = self.appointment.order
        if item.code == "weight":
            return str(order.actual_weight_kg + Decimal(self.demo.dice.randint(-12, 12)) / 10)
        if item.code == "creatinine-on":
            return (clock.local_date(when, self.appointment.site.time_zone) - dt.timedelta(days=12)).isoformat()
        if item.code == "premedication":
            return "taken" if order.premedication else "not-ordered"
        if item.code == "premedication-at":
            wall = clock.to_local(when - 45 * MINUTE, self.appointment.site.time_zone)
            return wall.strftime("%H:%M") if order.premedication else None
        if item.kind == "multi":
            return ["none"]
        return NUMBERS.get(item.code) or item.expected or None

    def prepare(self, when: dt.datetime) -> None:
        self.record = doses.prepare_dose(appointment=self.appointment, by=self.nurse, now=when)
        for grams, count in self.record.plan["vials"].items():
            vials = Cabinet(self.demo).provide(self.record.product, Decimal(grams), count, when)
            doses.add_vials(record=self.record, count=count, grams=Decimal(grams), **vials, by=self.nurse, now=when)
        for preset in ordered_presets(self.appointment.order.premedication):
            self.give(preset, when - 45 * MINUTE, when)
        if self.appointment.setting == Setting.FACILITY:
            doses.second_check(record=self.record, by=self.second, now=when)

    def give(self, preset: Preset, at: dt.datetime, when: dt.datetime) -> None:
        doses.record_medication(record=self.record, **asdict(preset), at=at, by=self.nurse, now=when)

    def start(self, when: dt.datetime) -> None:
        doses.start_infusion(record=self.record, by=self.nurse, now=when)

    def infuse(self, reaction: tuple | None, stop_reason: str) -> None:
        """Step up as planned, vital signs before each step, the reaction in the second step, then end and sign."""
        if self.record is None or self.record.state != DoseState.INFUSING:
            return
        minute = self.appointment.preparation_minutes
        for number, step in enumerate(self.record.plan["steps"], start=1):
            if number > 1 and not self.at(minute, lambda when, step=step: self.step_up(step, when)):
                return
            if number == 2 and reaction is not None:
                self.at(minute + 5, lambda when: self.react(*reaction, when))
                if stop_reason:
                    minute += 20
                    break
            self.watch(minute, minute + int(step["minutes"]))
            minute += int(step["minutes"])
        self.finish(minute, stop_reason)

    def watch(self, minute: int, until: int) -> None:
        """Vital signs every quarter of an hour; for today only, where somebody looks at what is due."""
        if clock.local_date(self.appointment.start, self.appointment.site.time_zone) != self.demo.today:
            return
        for each in range(minute + 15, until, 15):
            self.at(each, self.take_vital_signs)

    def take_vital_signs(self, when: dt.datetime) -> None:
        doses.record_vital_signs(record=self.record, phase=Phase.DURING, by=self.nurse, now=when, **VITAL_SIGNS)

    def step_up(self, step: dict, when: dt.datetime) -> None:
        self.take_vital_signs(when)
        rate, reason = Decimal(step["rate_ml_per_h"]), "Settled, goes on as planned." if self.has_reacted else ""
        doses.change_rate(record=self.record, rate_ml_per_h=rate, reason=reason, by=self.nurse, now=when)

    def react(self, kind: str, grade: int, action: str, when: dt.datetime) -> None:
        self.has_reacted = True
        doses.record_reaction(record=self.record, kind=kind, grade=grade, action=action, by=self.nurse, now=when)

    def finish(self, minute: int, stop_reason: str) -> None:
        def end(when):
            doses.end_infusion(record=self.record, stop_reason=stop_reason, by=self.nurse, now=when)
            doses.record_vital_signs(record=self.record, phase=Phase.END, by=self.nurse, now=when, **VITAL_SIGNS)
            self.give(flush_of(self.record.product.dilution), when, when)

        def leave(when):
            doses.record_vital_signs(
                record=self.record, phase=Phase.OBSERVATION, by=self.nurse, now=when, **VITAL_SIGNS
            )
            doses.record_advice(record=self.record, by=self.nurse, now=when)
            doses.end_observation(record=self.record, by=self.nurse, now=when)

        if not self.at(minute + 1, end) or not self.at(minute + 1 + self.appointment.observation_minutes, leave):
            return
        self.at(
            minute + 6 + self.appointment.observation_minutes,
            lambda when: doses.sign_dose(record=self.record, by=self.nurse, now=when),
        )
