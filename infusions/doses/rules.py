"""What may stand against preparing and starting an infusion. Table with sources: docs/clinical-rules.md, Infusion."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from infusion_center.core import clock
from infusion_center.core.rules import Problem, Severity, blocker, note, warning
from infusions.checklists.models import ChecklistAnswer, PreInfusionChecklist, RunStatus
from infusions.checklists.queries import latest_answers
from infusions.checklists.rules import gate_problems
from infusions.doses.course import Course, course_of
from infusions.doses.finish_rules import are_whole
from infusions.doses.models import DoseRecord, DoseState, VialUsed
from infusions.doses.planning import allowed_products, day_plan
from infusions.doses.restart import restart_reason_of
from infusions.doses.running_rules import NEEDED_SIGNS
from infusions.doses.second_check_rules import preparing_problems, second_check_before_start
from infusions.formulary.models import Product
from infusions.formulary.queries import vial_sizes_g
from infusions.formulary.rules import excipient_problems
from infusions.orders.rules import interval_problems, validity_problems
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from patients.queries import conditions_of, risks_of

# Item code of the checklist -> field of VitalSigns.
CHECKLIST_SIGNS = {
    "temperature": "temperature_c",
    "systolic": "systolic",
    "diastolic": "diastolic",
    "pulse": "pulse",
    "respiration": "respiration",
    "spo2": "spo2_percent",
}
DOSE_TOLERANCE = Decimal("0.10")
LONGEST_SHELF_LIFE = dt.timedelta(days=5 * 366)


def prepare_problems(appointment: Appointment) -> list[Problem]:
    if appointment.state == State.ARRIVED:
        return []
    message = f"The visit is {appointment.get_state_display().lower()}: only a patient who has arrived is prepared."
    return [blocker("not-arrived", message, remedy="Check the patient in first.")]


def plan_missing() -> Problem:
    message = "There is no plan of rates for this product and visit."
    return blocker("plan-missing", message, remedy="A pharmacist signs the product's rates, or the order is changed.")


def product_problems(record: DoseRecord, product: Product, *, has_vials: bool) -> list[Problem]:
    """Only what the order names, and one brand and strength in one dose.

    Source: fact sheet 1a (do not mix with another brand) and 1c (rates belong to product and strength).
    """
    if product.pk not in {allowed.pk for allowed in allowed_products(record.order)}:
        message = f"The order does not name {product}."
        return [blocker("product-not-ordered", message, field="product", remedy=f"Use {record.order.product}.")]
    if has_vials and product.pk != record.product_id:
        message = f"{product} must not be mixed with {record.product}."
        return [blocker("vial-other-product", message, field="product", remedy="Remove the other vials first.")]
    return []


def vial_problems(
    record: DoseRecord, *, grams: Decimal, lot: str, expires_on: dt.date | None, serial: str, today: dt.date
) -> list[Problem]:
    """One vial: lot and expiry known, in date on the site's local day, of a size that exists, not opened twice.

    Source: fact sheet 3 (product row: expired blocks) and 5 (one row per vial; a blank lot or expiry never closes).
    """
    problems = []
    sizes = vial_sizes_g(record.product)
    if grams not in sizes:
        known = ", ".join(f"{size:f} g" for size in sizes)
        message = f"{record.product} has no vial of {grams.normalize():f} g."
        problems.append(blocker("vial-size-unknown", message, field="grams", remedy=f"Its sizes are {known}."))
    if not lot:
        problems.append(blocker("vial-lot-missing", "A vial without a lot cannot be recalled.", field="lot"))
    if expires_on is None:
        problems.append(blocker("vial-expiry-missing", "The expiry date is missing.", field="expires_on"))
    elif expires_on < today:
        problems.append(_expired(expires_on))
    elif expires_on > today + LONGEST_SHELF_LIFE:
        message = f"No product keeps until {expires_on:%d-%b-%Y}."
        problems.append(blocker("vial-expiry-implausible", message, field="expires_on", remedy="Read the date again."))
    if serial and VialUsed.objects.filter(product=record.product, serial=serial).exists():
        message = f"The vial with serial {serial} has been used already."
        problems.append(blocker("vial-serial-used", message, field="serial", remedy="Set it aside and take another."))
    return problems


def _expired(expires_on: dt.date) -> Problem:
    message = f"The vial expired on {expires_on:%d-%b-%Y}."
    return blocker("vial-expired", message, field="expires_on", remedy="Set it aside and take another vial.")


def vials_problems(course: Course, today: dt.date) -> list[Problem]:
    """Whether the vials together are the planned dose.

    Short of the plan by more than 10 %, or a vial too many, blocks; a smaller difference is shown. A last vial that is
    only used in part is no difference: the pump is told the planned volume and the rest is waste.
    Source: fact sheet 2 (rounding within 10 %), 1a (one brand and strength), 3 (in date).
    """
    if not course.vials:
        return [blocker("vials-missing", "No vials are recorded.", remedy="Add each vial with lot and expiry.")]
    record = course.record
    problems = [_expired(vial.expires_on) for vial in course.vials if vial.expires_on < today][:1]
    if any(vial.product_id != record.product_id for vial in course.vials):
        problems.append(blocker("vial-other-product", f"A vial is not {record.product}.", remedy="Remove it."))
    problems += product_problems(record, record.product, has_vials=True)
    problems += _amount_problems(course)
    if len({vial.lot for vial in course.vials}) > 1:
        message = "The vials come from more than one lot: each of them is on the record."
        problems.append(warning("vial-lots-mixed", message))
    return problems


def _amount_problems(course: Course) -> list[Problem]:
    planned, total = course.record.planned_g, course.vials_g
    text = f"The vials hold {_g(total)}; {_g(planned)} are planned"
    smallest = min(vial.grams for vial in course.vials)
    if total < planned * (1 - DOSE_TOLERANCE):
        return [blocker("vials-short", f"{text}.", remedy=f"Add {_g(planned - total)}.")]
    if total < planned:
        return [warning("vials-below-plan", f"{text}: only what they hold will be given.")]
    if total - smallest < planned:  # every vial is needed
        waste = total - planned
        return [warning("vial-waste", f"{text}: {_g(waste)} will be left over as waste.")] if waste else []
    if total > planned * (1 + DOSE_TOLERANCE):
        return [blocker("vials-too-many", f"{text}.", remedy=f"Remove a vial of {_g(smallest)} or more.")]
    return [warning("vials-above-plan", f"{text}: the rest is waste.")]


def start_problems(record: DoseRecord, *, by, now: dt.datetime) -> list[Problem]:
    """Everything that must hold before the first drop; nothing here can be overridden at the chair.

    Sources: fact sheet 3 (the whole table), 1a (excipients), 5 (record per vial).
    """
    visit = record.appointment
    today = clock.local_date(now, visit.site.time_zone)
    course = course_of(record)
    return [
        *preparing_problems(record),
        *prepare_problems(visit),
        *validity_problems(record.order, today),
        *_earlier_dose_problems(record),
        *_interval_problems(visit, today),
        *excipient_problems(record.product, conditions=conditions_of(record.patient) | risks_of(record.patient)),
        *gate_problems(visit, now),
        *vials_problems(course, today),
        *_plan_problems(record, today),
        *_baseline_problems(course, now),
        *second_check_before_start(record, by),
        *_pace_problems(course, now),
    ]


def _earlier_dose_problems(record: DoseRecord) -> list[Problem]:
    """A dose counts from its signature: while one is open, the interval and the visits left cannot be told.

    Source: fact sheet 2, date window, and 5, per-dose record; nobody gets two doses at once.
    """
    unsigned = DoseRecord.objects.filter(patient=record.patient, started_at__isnull=False)
    earlier = unsigned.exclude(state=DoseState.SIGNED).exclude(pk=record.pk).order_by("started_at", "pk").first()
    if earlier is None:
        return []
    day = clock.local_date(earlier.started_at, earlier.appointment.site.time_zone)
    message = f"The infusion of {day:%d-%b-%Y} is not signed: whether this one is due cannot be told."
    return [blocker("earlier-dose-open", message, remedy="Finish and sign that record first.")]


def _interval_problems(visit: Appointment, today: dt.date) -> list[Problem]:
    """Too early needs approval: given when the visit was booked with a reason, else it stops the start."""
    found = interval_problems(visit.order, today)
    if not visit.override_reason:
        return found
    decided = f" Decided at booking: {visit.override_reason}"
    return [
        replace(one, severity=Severity.NOTE, message=one.message + decided)
        if one.severity == Severity.APPROVAL
        else one
        for one in found
    ]


def _plan_problems(record: DoseRecord, today: dt.date) -> list[Problem]:
    """The plan that was checked must still be the one that the rules give now: risks and schedules can change."""
    fresh = day_plan(record.appointment, record.product, today)
    if fresh is None:
        return [plan_missing()]
    if plan_differs(record, fresh):
        message = "The planned dose or rate has changed since it was prepared."
        return [blocker("plan-changed", message, remedy="Prepare again, then repeat the second check.")]
    return []


def plan_differs(record: DoseRecord, fresh) -> bool:
    kept = (record.planned_g, record.planned_volume_ml, record.max_rate_ml_per_h, record.plan)
    return kept != (fresh.planned_g, fresh.planned_volume_ml, fresh.max_rate_ml_per_h, fresh.plan)


def _baseline_problems(course: Course, now: dt.datetime) -> list[Problem]:
    """Source: fact sheet 4, vital signs before the start. Once it runs they could not be made up for.

    Those of today's check count as they are: the start takes them over.
    """
    if are_whole(course.baseline):
        return []
    if course.baseline is None and set(NEEDED_SIGNS) <= set(checked_signs(course.record.appointment, now)):
        return []
    message = "Temperature, pressure and pulse before the infusion are missing."
    remedy = "Record them now; those of today's checklist are taken over by themselves."
    return [blocker("baseline-missing", message, remedy=remedy)]


def checked_signs(visit: Appointment, now: dt.datetime) -> dict[str, ChecklistAnswer]:
    """The vital signs of the check that was passed on the site's today, by field of VitalSigns."""
    first, following = clock.day_bounds(clock.local_date(now, visit.site.time_zone), visit.site.time_zone)
    passed = PreInfusionChecklist.objects.filter(
        appointment=visit,
        status__in=(RunStatus.PASSED, RunStatus.OVERRIDDEN),
        closed_at__gte=first,
        closed_at__lt=following,
    )
    run = passed.order_by("-closed_at").first()
    answers = latest_answers(run) if run else {}
    return {CHECKLIST_SIGNS[code]: answer for code, answer in answers.items() if code in CHECKLIST_SIGNS}


def _pace_problems(course: Course, now: dt.datetime) -> list[Problem]:
    """Sources: fact sheet 1b (begin at the lowest step) and 2 (what a pump can run)."""
    problems, most = [], course.record.appointment.site.pump_max_ml_per_h
    if reason := restart_reason_of(course.record, now):
        message = f"{reason}: from the lowest step, and no step before its time."
        problems.append(note("restart-lowest", message))
    fastest = max(step.rate_ml_per_h for step in course.steps)
    if fastest > most:
        message = f"The plan goes up to {fastest.normalize():f} mL/h; the pumps here stop at {most} mL/h."
        problems.append(warning("rate-above-pump", message, remedy=f"Stay at {most} mL/h or slower."))
    return problems


def _g(grams: Decimal) -> str:
    return f"{grams.normalize():f} g"
