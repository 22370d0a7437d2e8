"""A scanned code seen from the bedside: which vial it is, and what the nurse has to settle by eye first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from infusion_center.core.rules import Problem, RuleViolation, Severity, blocker, warning
from infusions.doses.course import Course, course_of
from infusions.doses.models import DoseRecord, DoseState
from infusions.doses.queries import records_with_parts, visits_of_day
from infusions.doses.vial_rules import product_problems, serial_problems
from infusions.facility.models import Site
from infusions.stock import rules as stock_rules
from infusions.stock.gs1 import ScannedVial, UnreadableCode, read_code
from infusions.stock.models import KnownLot, ProductCode, StockItem
from infusions.stock.queries import code_of


@dataclass(frozen=True)
class Reading:
    """What the code says, what it stands for, and why it cannot be added just so."""

    scanned: ScannedVial
    code: ProductCode | None
    by_eye: list[Problem]

    def vial(self) -> dict:
        """Arguments of preparation.add_vial; only for a reading that leaves nothing to settle."""
        scanned = self.scanned
        values = {"lot": scanned.lot, "expires_on": scanned.expires_on, "serial": scanned.serial}
        return values | {"product": self.code.product, "grams": self.code.grams}


def read_scan(text: str) -> Reading:
    """Raises RuleViolation for what is no code of a vial."""
    try:
        scanned = read_code(text)
    except UnreadableCode as error:
        remedy = "Nothing was added. Scan again, or type the vial below."
        raise RuleViolation([blocker("code-unreadable", str(error), field="code", remedy=remedy)]) from None
    code = code_of(scanned)
    return Reading(scanned, code, [*_unknown(scanned, code), *_incomplete(scanned), *_doubtful(scanned, code)])


def refuse_other_product(record: DoseRecord, reading: Reading) -> None:
    """The code of another brand or strength is refused before anybody looks at the rest."""
    if reading.code is None:
        return
    problems = product_problems(record, reading.code.product, has_vials=record.vials.exists())
    if problems:
        raise RuleViolation(problems)


def _unknown(scanned: ScannedVial, code: ProductCode | None) -> list[Problem]:
    if code is not None:
        return []
    message = f"The product number {scanned.gtin} is not registered here."
    remedy = "Read product and strength on the vial, then choose its size below."
    return [warning("code-unknown", message, remedy=remedy)]


def _incomplete(scanned: ScannedVial) -> list[Problem]:
    missing = [name for name, value in (("lot", scanned.lot), ("expiry", scanned.expires_on)) if not value]
    if not missing:
        return []
    message = f"The code does not say the {' and the '.join(missing)}."
    return [warning("code-incomplete", message, remedy="Type it from the vial, or scan the square code.")]


def _doubtful(scanned: ScannedVial, code: ProductCode | None) -> list[Problem]:
    """Lot and serial may have run together: a lot that is known here puts the doubt to rest."""
    if not scanned.is_doubtful:
        return []
    if code is not None and KnownLot.objects.filter(product=code.product, lot=scanned.lot).exists():
        return []
    message = "The scanner sent lot and serial without anything between them."
    return [warning("code-doubtful", message, remedy="Compare lot and serial below with the print on the vial.")]


@dataclass(frozen=True)
class Standing:
    """How the scanned vial stands at a site: what is wrong with it, and where its like lies."""

    problems: list[Problem]
    items: list[StockItem]

    @property
    def may_be_given(self) -> bool:
        return not any(problem.severity == Severity.BLOCKER for problem in self.problems)


def vial_standing(reading: Reading, site: Site, today: dt.date) -> Standing:
    """What stands against it for any patient; of a code that is not registered only its expiry is known."""
    scanned, code = reading.scanned, reading.code
    problems = [*reading.by_eye]
    if scanned.lot and scanned.expires_on:
        problems += stock_rules.label_problems(scanned.lot, scanned.expires_on, today)
    if code is None:
        return Standing(problems, [])
    problems += stock_rules.recall_problems(code.product, [scanned.lot])
    if scanned.serial:
        problems += serial_problems(code.product, scanned.serial)
    items = StockItem.objects.filter(site=site, product=code.product, lot=scanned.lot, grams=code.grams)
    return Standing(problems, list(items.exclude(on_hand=0, quarantined=0).order_by("-storage", "use_by")))


def doses_that_need(user, site: Site, reading: Reading, now: dt.datetime) -> list[Course]:
    """The doses being prepared here today that this vial could go into, her own patients first."""
    if reading.code is None:
        return []
    visits = {visit.pk: visit for visit in visits_of_day(user, site, now)}
    records = records_with_parts().filter(appointment__in=visits, state=DoseState.PREPARING)
    courses = []
    for record in records.prefetch_related("order__alternatives"):
        record.appointment = visits[record.appointment_id]
        course = course_of(record)
        misfit = product_problems(record, reading.code.product, has_vials=bool(course.vials))
        if not misfit and course.missing_g:
            courses.append(course)
    return sorted(courses, key=lambda course: _own_first(course, user))


def _own_first(course: Course, user) -> tuple:
    visit = course.record.appointment
    return visit.nurse is None or visit.nurse.user_id != user.pk, visit.start, visit.pk
