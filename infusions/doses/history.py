"""What happened to a dose, in sentences, newest first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from infusion_center.core import clock
from infusions.doses.course import Course
from infusions.doses.medication_models import MedicationGiven
from infusions.doses.models import DoseState, RateKind, VitalSigns
from infusions.doses.reaction_models import LateReaction, ReactionStepKind

RATE_ICONS = {
    RateKind.START: "circle-play",
    RateKind.STEP: "chevrons-up",
    RateKind.CHANGE: "gauge",
    RateKind.HOLD: "circle-equal",
    RateKind.PAUSE: "circle-pause",
    RateKind.RESUME: "circle-play",
    RateKind.STOP: "circle-stop",
}


STEP_ICONS = {
    ReactionStepKind.SLOWED: "chevrons-down",
    ReactionStepKind.PRESCRIBER_CALLED: "phone",
    ReactionStepKind.EMERGENCY_CALLED: "siren",
    ReactionStepKind.PHARMACIST_TOLD: "phone",
    ReactionStepKind.REASSESSED: "eye",
    ReactionStepKind.RESOLVED: "check",
}


@dataclass(frozen=True)
class Event:
    at: dt.datetime
    icon: str
    text: str
    detail: str
    who: str


def history(course: Course) -> list[Event]:
    record = course.record
    events = [
        *(
            Event(rate.at, RATE_ICONS[RateKind(rate.kind)], _rate_text(rate), rate.reason, str(rate.recorded_by))
            for rate in course.rates
        ),
        *(
            Event(
                signs.at,
                "heart-pulse",
                f"Vital signs ({signs.get_phase_display().lower()})",
                signs_text(signs),
                str(signs.recorded_by),
            )
            for signs in course.vital_signs
        ),
        *(
            Event(
                one.onset_at,
                "triangle-alert",
                f"{one.get_kind_display()}, grade {one.grade}",
                ". ".join(filter(None, [one.action, one.notes])),
                str(one.recorded_by),
            )
            for one in course.reactions
        ),
        *_steps(course),
        *_late(course),
    ]
    events += [
        Event(one.at, "pill", medication_text(one), one.note or one.get_purpose_display(), str(one.recorded_by))
        for one in course.medications
    ]
    if record.second_check_at:
        checked = "; ".join((record.second_checked or {}).values())
        events.append(
            Event(record.second_check_at, "users-round", "Second check", checked, str(record.second_check_by))
        )
    if record.advice_at:
        how = "Mailed" if record.advice_mailed else "On paper"
        events.append(Event(record.advice_at, "file-heart", "Advice for at home", how, str(record.advice_by)))
    if record.observation_ended_at:
        events.append(Event(record.observation_ended_at, "door-open", "Observation ended", "", ""))
    if record.signed_at:
        events.append(Event(record.signed_at, "badge-check", "Signed", "", record.signed_name))
    return sorted(events, key=lambda event: event.at, reverse=True)


def _steps(course: Course) -> list[Event]:
    kinds = {one.pk: one.get_kind_display() for one in course.reactions}
    return [
        Event(
            step.at,
            STEP_ICONS[ReactionStepKind(step.kind)],
            f"{step.get_kind_display()}{f' {step.note}' if step.note else ''}",
            kinds.get(step.reaction_id, ""),
            str(step.recorded_by),
        )
        for step in course.reaction_steps
    ]


def _late(course: Course) -> list[Event]:
    """Learned of after signing; nothing is asked of the database before."""
    if course.state != DoseState.SIGNED:
        return []
    zone_name = course.record.appointment.site.time_zone
    late = course.record.late_reactions.select_related("recorded_by")
    return [
        Event(
            one.recorded_at,
            "calendar-plus",
            f"Learned later: {one.get_kind_display()}, grade {one.grade}, began {one.onset_on:%d-%b-%Y}",
            ". ".join(filter(None, [one.action, one.notes, _told(one, zone_name)])),
            str(one.recorded_by),
        )
        for one in late
    ]


def _told(late: LateReaction, zone_name: str) -> str:
    return f"Told on {clock.local_date(late.recorded_at, zone_name):%d-%b-%Y}: {late.learned_from}"


def _rate_text(rate) -> str:
    if not rate.rate_ml_per_h:
        return {RateKind.PAUSE: "Paused", RateKind.STOP: "Pump stopped"}[RateKind(rate.kind)]
    return f"{rate.get_kind_display()}: {number(rate.rate_ml_per_h)} mL/h"


def signs_text(signs: VitalSigns) -> str:
    """36.6 °C, 122/74 mmHg, pulse 72, respiration 14, 98%; what was not measured is left out."""
    pressure = f"{signs.systolic or '?'}/{signs.diastolic or '?'} mmHg" if signs.systolic or signs.diastolic else ""
    parts = [
        f"{number(signs.temperature_c)} °C" if signs.temperature_c else "",
        pressure,
        f"pulse {signs.pulse}" if signs.pulse else "",
        f"respiration {signs.respiration}" if signs.respiration else "",
        f"{signs.spo2_percent}%" if signs.spo2_percent else "",
    ]
    return ", ".join(filter(None, parts))


def medication_text(one: MedicationGiven) -> str:
    """Acetaminophen 650 mg by mouth."""
    return f"{one.name} {number(one.dose)} {one.unit} {one.get_route_display().lower()}"


def number(value: Decimal) -> str:
    return f"{value.normalize():f}"
