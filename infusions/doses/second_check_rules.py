"""What a second person checks before the start, as the site sets it, and what may stand against that check.

Source: fact sheet 5 (per-dose record: opened by and second check). What a site checks by two is its own decision.
"""

from __future__ import annotations

from decimal import Decimal

from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.core.rules import Problem, blocker, note
from infusions.doses.course import Course
from infusions.doses.models import DoseRecord, DoseState

PARTS = {"product": "product, lots and expiry", "dose": "dose", "rate": "rates"}


def parts_to_check(record: DoseRecord) -> tuple[str, ...]:
    """What the site wants checked by two, in the order in which it is read out; nothing where it wants none."""
    wanted = record.appointment.site.second_check
    return tuple(part for part in PARTS if part in wanted)


def content_to_check(course: Course) -> dict[str, str]:
    """Part -> the words that are read together, as they are on the record now."""
    record = course.record
    vials = "; ".join(
        f"{_n(vial.grams)} g, lot {vial.lot}, expires {vial.expires_on:%d-%b-%Y}" for vial in course.vials
    )
    steps = ", ".join(_n(step.rate_ml_per_h) for step in course.steps)
    words = {
        "product": f"{record.product}: {vials}",
        "dose": f"{_n(record.planned_g)} g ({_n(record.planned_volume_ml)} mL) for {record.patient.full_legal_name}",
        "rate": f"{steps} mL/h, never above {_n(record.max_rate_ml_per_h)} mL/h",
    }
    return {part: words[part] for part in parts_to_check(record)}


def spoken(parts: tuple[str, ...]) -> str:
    """product, lots and expiry, dose and rates."""
    words = [PARTS[part] for part in parts]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1] if words else ""]))


def second_check_context(course: Course, user) -> dict:
    """What the page says of the check, and whether its reader may be the second person by a press of her own."""
    parts, record = parts_to_check(course.record), course.record
    return {
        "second_parts": spoken(tuple(record.second_checked) if record.second_checked else parts),
        "second_words": list(content_to_check(course).values()),
        "may_check_own": bool(course.vials)
        and not record.appointment.is_home
        and not any(vial.recorded_by_id == user.pk for vial in course.vials),
    }


def preparing_problems(record: DoseRecord) -> list[Problem]:
    """Vials, product and second check belong to the time before the start."""
    if record.state == DoseState.PREPARING:
        return []
    return [blocker("already-started", "The infusion has started: what was prepared can no longer be changed.")]


def second_check_problems(record: DoseRecord, by) -> list[Problem]:
    """A second person checks what the site asks for. At home the nurse is alone and may check again herself."""
    problems = preparing_problems(record)
    if not has_permission(by, Permission.INFUSE):
        problems.append(blocker("second-check-not-permitted", f"{by} may not check infusions.", field="email"))
    vials = list(record.vials.all())
    if not vials:
        problems.append(blocker("vials-missing", "There are no vials to check yet."))
    if not record.appointment.is_home and any(vial.recorded_by_id == by.pk for vial in vials):
        problems.append(_same_person("Whoever added the vials cannot be the second person."))
    return problems


def second_check_before_start(record: DoseRecord, by) -> list[Problem]:
    """Asked at the start: somebody else checked, where the site wants a check at all."""
    parts = parts_to_check(record)
    if not parts:
        return []
    if record.appointment.is_home:
        if record.second_check_by_id is None:
            return [note("second-check-alone", "At home without a colleague: read product, lot and rate out again.")]
        return []
    if record.second_check_by_id is None:
        message = f"A second person has not checked {spoken(parts)}."
        return [blocker("second-check-missing", message, remedy="Ask a colleague to sign the second check.")]
    if record.second_check_by_id == by.pk:
        return [_same_person("Whoever made the second check cannot start the infusion.")]
    return []


def _same_person(message: str) -> Problem:
    remedy = "Ask a colleague to sign the second check."
    return blocker("second-check-same-person", message, field="email", remedy=remedy)


def _n(number: Decimal) -> str:
    return f"{number.normalize():f}"
