"""What happened to a dose, in sentences, newest first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from infusions.doses.course import Course
from infusions.doses.medication_models import MedicationGiven
from infusions.doses.models import RateKind, VitalSigns

RATE_ICONS = {
    RateKind.START: "circle-play",
    RateKind.STEP: "chevrons-up",
    RateKind.CHANGE: "gauge",
    RateKind.HOLD: "circle-equal",
    RateKind.PAUSE: "circle-pause",
    RateKind.RESUME: "circle-play",
    RateKind.STOP: "circle-stop",
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
