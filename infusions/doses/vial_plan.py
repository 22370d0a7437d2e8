"""Which vials a dose still needs: what is left of its plan, or what fits best when other sizes were taken."""

from __future__ import annotations

from decimal import Decimal

from infusions.doses.course import Course
from infusions.formulary.dosing import choose_vials
from infusions.formulary.queries import vial_sizes_g


def planned_left(course: Course) -> dict[str, int]:
    """How many vials of each planned size are not on the record yet; below zero where more were taken."""
    planned = dict(course.record.plan["vials"])
    for vial in course.vials:
        size = _plain(vial.grams)
        planned[size] = planned.get(size, 0) - 1
    return planned


def missing_vials(course: Course) -> list[tuple[str, int]]:
    """(size in grams, how many) still to come."""
    left = planned_left(course)
    if min(left.values(), default=0) < 0 or sum(Decimal(size) * n for size, n in left.items()) != course.missing_g:
        sizes = vial_sizes_g(course.record.product)
        left = {_plain(size): count for size, count in choose_vials(course.missing_g, sizes)}
    return [(size, count) for size, count in left.items() if count]


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
