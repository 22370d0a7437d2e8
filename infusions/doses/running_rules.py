"""What may stand against an act during and after the infusion. Table with sources: docs/clinical-rules.md, Infusion."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal

from infusion_center.core import clock
from infusion_center.core.rules import Problem, blocker, needs_approval, warning
from infusions.doses import titration
from infusions.doses.course import Course
from infusions.doses.due import CLIMBING, FRESH
from infusions.doses.meanwhile_rules import recalled_problems
from infusions.doses.models import DoseRecord, DoseState, Phase, VitalSigns
from infusions.doses.planning import cap_now_ml_per_h
from infusions.doses.reaction_calls import GRADE_PAUSE
from infusions.doses.reaction_models import Reaction
from infusions.doses.restart import restart_reason_of
from infusions.facility.models import Site
from infusions.orders.models import OrderStatus

STEP_EARLY = dt.timedelta(minutes=2)
HALF = Decimal("0.5")
RUNNING = (DoseState.INFUSING, DoseState.PAUSED)
OVER = (DoseState.OBSERVING, DoseState.ENDED)
PHASE_STATES = {
    Phase.BASELINE: (DoseState.PREPARING,),
    Phase.DURING: RUNNING,
    Phase.END: (*RUNNING, *OVER),  # also just before the pump is stopped
    Phase.OBSERVATION: OVER,
}
# Lowest and highest that a living adult or child shows; beyond lies a typing error.
PLAUSIBLE: dict[str, tuple[Decimal, Decimal, str]] = {
    "temperature_c": (Decimal(30), Decimal(43), "temperature"),
    "systolic": (Decimal(50), Decimal(260), "systolic pressure"),
    "diastolic": (Decimal(20), Decimal(160), "diastolic pressure"),
    "pulse": (Decimal(20), Decimal(250), "pulse"),
    "respiration": (Decimal(4), Decimal(80), "respiration"),
    "spo2_percent": (Decimal(50), Decimal(100), "oxygen saturation"),
}


def state_problems(record: DoseRecord, *states: DoseState) -> list[Problem]:
    if record.state in states:
        return []
    return [blocker("wrong-state", f"This is not possible now: the infusion is {record.get_state_display().lower()}.")]


def rate_problems(course: Course, rate_ml_per_h: Decimal, now: dt.datetime) -> list[Problem]:
    """Above the cap never; below is free; ahead of the plan, or back up after a reaction, only with a reason.

    Sources: fact sheet 1b (maximum and at-risk rates, steps held for their minutes) and 5 (reaction -> app).
    """
    if problems := state_problems(course.record, DoseState.INFUSING):
        return problems
    if rate_ml_per_h <= 0:
        return [blocker("rate-not-positive", "Give a rate above 0, or pause.", field="rate_ml_per_h")]
    if problems := _cap_problems(course.record, rate_ml_per_h, now):
        return problems
    if rate_ml_per_h == course.rate_ml_per_h:
        message = f"The pump already runs at {_n(rate_ml_per_h)} mL/h."
        return [blocker("rate-unchanged", message, field="rate_ml_per_h")]
    if rate_ml_per_h < course.rate_ml_per_h:
        return []
    return [
        *_order_problems(course.record),
        *recalled_problems(course),
        *_ahead_problems(course, rate_ml_per_h, now),
        *_reaction_rate_problems(course, rate_ml_per_h),
        *_hold_before_faster(course, now),
        *_stale_signs(course, now),
        *_pump_problems(course.record, rate_ml_per_h),
    ]


def _pump_problems(record: DoseRecord, rate_ml_per_h: Decimal) -> list[Problem]:
    """Source: fact sheet 2: a pump has a fastest rate; the site knows its own."""
    most = record.appointment.site.pump_max_ml_per_h
    if rate_ml_per_h <= most:
        return []
    message = f"{_n(rate_ml_per_h)} mL/h is more than the pumps here can run ({most} mL/h)."
    return [warning("rate-above-pump", message, field="rate_ml_per_h", remedy="Set what the pump really runs at.")]


def stay_problems(course: Course, reason: str, now: dt.datetime) -> list[Problem]:
    """The next step is put off: only while one is to come, and with a reason. Source: fact sheet 1b: as tolerated.

    A cap that fell below the rate meanwhile is no rate to stay at.
    """
    if problems := state_problems(course.record, DoseState.INFUSING):
        return problems
    if course.next_step is None:
        return [blocker("nothing-to-put-off", "No further step is planned: the rate stays as it is.")]
    if problems := _cap_problems(course.record, course.rate_ml_per_h, now):
        return problems
    if not reason.strip():
        return [blocker("stay-reason-missing", "Say why the step is put off.", field="reason")]
    return []


def _cap_problems(record: DoseRecord, rate_ml_per_h: Decimal, now: dt.datetime) -> list[Problem]:
    most = cap_now_ml_per_h(record, clock.local_date(now, record.appointment.site.time_zone))
    if rate_ml_per_h <= most:
        return []
    why = "at-risk maximum" if record.plan["at_risk"] or most < record.max_rate_ml_per_h else "maximum"
    message = f"{_n(rate_ml_per_h)} mL/h is above the {why} of {_n(most)} mL/h."
    return [blocker("rate-above-cap", message, field="rate_ml_per_h", remedy="Choose a lower rate.")]


def _order_problems(record: DoseRecord) -> list[Problem]:
    """Somebody held or stopped the order while it ran. Source: fact sheet 3, order: signed and valid."""
    if record.order.status == OrderStatus.SIGNED:
        return []
    message = f"The order is {record.order.get_status_display().lower()} since the infusion started."
    remedy = "Ask the prescriber, or stop the infusion; give the reason and who decided."
    return [needs_approval("order-not-in-force", message, field="reason", remedy=remedy)]


def _ahead_problems(course: Course, rate_ml_per_h: Decimal, now: dt.datetime) -> list[Problem]:
    """Early steps need a reason, and are refused to whom the product is new. Source: fact sheet 1b."""
    if rate_ml_per_h <= titration.planned_rate(course.steps, course.rates, now, STEP_EARLY):
        return []
    message = f"The plan has not reached {_n(rate_ml_per_h)} mL/h yet."
    if why := restart_reason_of(course.record, now):
        return [blocker("rate-ahead-of-plan", f"{message} {why}.", field="rate_ml_per_h", remedy="Wait for the step.")]
    return [needs_approval("rate-ahead-of-plan", message, field="reason", remedy="Wait, or give the reason.")]


def _reaction_rate_problems(course: Course, rate_ml_per_h: Decimal) -> list[Problem]:
    """After grade 1 slower than when it came; after grade 2 at most half of it. Source: fact sheet 5."""
    for one in course.reactions:
        if not one.rate_ml_per_h:
            continue
        too_fast = (
            rate_ml_per_h > one.rate_ml_per_h * HALF if one.grade >= GRADE_PAUSE else rate_ml_per_h >= one.rate_ml_per_h
        )
        if too_fast:
            message = f"{one.get_kind_display()} came at {_n(one.rate_ml_per_h)} mL/h."
            remedy = "Stay slower, or give the reason and who decided."
            return [needs_approval("rate-after-reaction", message, field="reason", remedy=remedy)]
    return []


def _hold_before_faster(course: Course, now: dt.datetime) -> list[Problem]:
    """Source: fact sheet 3, vitals outside the limits: hold and call."""
    if not hold_now(course, now):
        return []
    message = "The last vital signs are outside the limits."
    remedy = "Measure again, or give the reason and who decided."
    return [needs_approval("rate-while-holding", message, field="reason", remedy=remedy)]


def hold_now(course: Course, now: dt.datetime) -> list[Problem]:
    """What the last vital signs call for, for as long as new ones are not due.

    Of each value the last one counts: a pulse alone does not lift the hold of a pressure.
    """
    fresh = [signs for signs in course.vital_signs if signs.at >= now - CLIMBING]
    if not fresh or course.state not in (*RUNNING, DoseState.OBSERVING):
        return []
    values = {}
    for signs in fresh:
        values |= {name: value for name in PLAUSIBLE if (value := getattr(signs, name)) is not None}
    return hold_problems(VitalSigns(**values), course.record.appointment.site)


def _stale_signs(course: Course, now: dt.datetime) -> list[Problem]:
    """Source: fact sheet 4, vital signs just before each step up."""
    if any(signs.at >= now - FRESH for signs in course.vital_signs):
        return []
    return [warning("vital-signs-before-step", "No vital signs in the last 10 minutes: take them before stepping up.")]


def unwatched_step_problems(course: Course, now: dt.datetime) -> list[Problem]:
    """The planned step asks for vital signs with it; to go without, somebody says why. Source: fact sheet 4."""
    if not _stale_signs(course, now):
        return []
    message = "No vital signs in the last 10 minutes."
    return [needs_approval("step-without-signs", message, field="reason", remedy="Enter them, or give the reason.")]


def resume_problems(course: Course, rate_ml_per_h: Decimal, now: dt.datetime) -> list[Problem]:
    """Never above the cap nor faster than before the pause; after grade 2 at most half the rate it came at, by order.

    Source: fact sheet 5, reaction -> app: stop, medicate, restart at 50 % or less with an order.
    """
    if problems := state_problems(course.record, DoseState.PAUSED):
        return problems
    if rate_ml_per_h <= 0:
        return [blocker("rate-not-positive", "Give a rate above 0.", field="rate_ml_per_h")]
    if rate_ml_per_h > course.last_rate_ml_per_h:
        message = f"Before the pause it ran at {_n(course.last_rate_ml_per_h)} mL/h: resume at that rate or slower."
        return [blocker("resume-faster", message, field="rate_ml_per_h")]
    found = [*_cap_problems(course.record, rate_ml_per_h, now), *_order_problems(course.record)]
    found += recalled_problems(course)
    if pausing_reaction(course) is None:
        return [*found, *_reaction_rate_problems(course, rate_ml_per_h)]
    most = resume_rate_ml_per_h(course)
    if rate_ml_per_h > most:
        message = f"After a grade 2 reaction resume at {_n(most)} mL/h or slower, half of what it came at."
        return [blocker("resume-above-half", message, field="rate_ml_per_h")]
    message = "Restarting after a grade 2 reaction needs the prescriber's order."
    return [*found, needs_approval("restart-needs-order", message, field="reason", remedy="Write who ordered it.")]


def pausing_reaction(course: Course) -> Reaction | None:
    """The last reaction of grade 2 that came since the infusion last ran at speed: the reason of this pause."""
    return next(reversed(_pausing_reactions(course)), None)


def _pausing_reactions(course: Course) -> list[Reaction]:
    paused_at = course.rates[-1].at
    running = [rate.at for rate in course.rates if rate.rate_ml_per_h]
    since = running[-1] if running else paused_at
    return [one for one in course.reactions if one.grade >= GRADE_PAUSE and one.recorded_at >= since]


def resume_rate_ml_per_h(course: Course) -> Decimal:
    """The fastest rate to resume at; half is cut to a tenth, never rounded up."""
    came_at = [one.rate_ml_per_h for one in _pausing_reactions(course) if one.rate_ml_per_h]
    halves = [(rate * HALF).quantize(Decimal("0.1"), ROUND_FLOOR) for rate in came_at]
    return min([course.last_rate_ml_per_h, *halves])


def offered_resume_ml_per_h(course: Course, now: dt.datetime) -> Decimal:
    """The same within the cap of now: what the page fills in."""
    most = cap_now_ml_per_h(course.record, clock.local_date(now, course.record.appointment.site.time_zone))
    return min(resume_rate_ml_per_h(course), most)


def vital_sign_problems(values: Mapping[str, Decimal | int | None]) -> list[Problem]:
    """Typing errors; at least one value must be there."""
    given = {name: Decimal(value) for name, value in values.items() if value is not None}
    if not given:
        return [blocker("vital-signs-empty", "Enter at least one value.")]
    problems = []
    for name, value in given.items():
        low, high, label = PLAUSIBLE[name]
        if not low <= value <= high:
            message = f"A {label} of {_n(value)} cannot be right ({_n(low)} to {_n(high)})."
            problems.append(blocker("vital-sign-implausible", message, field=name, remedy="Measure or type it again."))
    if not problems and given.get("systolic", Decimal(300)) <= given.get("diastolic", Decimal(0)):
        message = "The systolic pressure must be the higher one."
        problems.append(blocker("pressure-swapped", message, field="diastolic"))
    return problems


def phase_problems(record: DoseRecord, phase: str) -> list[Problem]:
    """Vital signs belong to the moment they were taken in: none "before" can be added once the infusion runs."""
    if record.state == DoseState.SIGNED:
        return [blocker("signed", "The record is signed.", remedy="Amend it instead.")]
    if record.state in PHASE_STATES[Phase(phase)]:
        return []
    message = f"Vital signs “{Phase(phase).label.lower()}” cannot be taken now: {record.get_state_display().lower()}."
    return [blocker("phase-over", message)]


def hold_problems(signs: VitalSigns, site: Site) -> list[Problem]:
    """Values outside the site's hold limits: hold and call. Source: fact sheet 3, vitals (limits set by the clinic)."""
    limits = (
        ("temperature_c", None, Decimal(site.hold_temperature_c), "Temperature", " °C"),
        ("systolic", site.hold_systolic_low, site.hold_systolic_high, "Systolic pressure", " mmHg"),
        ("pulse", site.hold_pulse_low, site.hold_pulse_high, "Pulse", "/min"),
        ("spo2_percent", site.hold_spo2_percent, None, "Oxygen saturation", "%"),
    )
    problems = []
    for name, low, high, label, unit in limits:
        value = getattr(signs, name)
        if value is None:
            continue
        # 38.0 °C itself holds; the other limits are the last good values.
        too_high = high is not None and (value >= high if name == "temperature_c" else value > high)
        if too_high or (low is not None and value < low):
            limit = high if too_high else low
            message = f"{label} {value}{unit} is {'high' if too_high else 'low'} (limit {limit}{unit})."
            remedy = "Hold the infusion, measure again and call the prescriber."
            problems.append(warning(f"hold-{name.split('_')[0]}", message, field=name, remedy=remedy))
    return problems

    return problems


def _n(number: Decimal) -> str:
    return f"{number.normalize():f}"
