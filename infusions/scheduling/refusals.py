"""Says in plain words why an order, a window or a day has no start that fits, and what speaks for one. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping

from infusion_center.core.rules import Problem, Severity, blocker, note, warning
from infusions.facility.models import ChairKind, Setting, Site
from infusions.orders.models import InfusionOrder, OrderStatus
from infusions.scheduling.bitmaps import Fits, fill
from infusions.scheduling.queries import CourseSoFar
from infusions.scheduling.ranking import DaySlice
from infusions.scheduling.windows import DrugWindow

NO_SITE = blocker("no-site", "There is no site to book at.", remedy="Enter a site first.")
DAYS_NAMED = 5

# In the order in which they are asked: the first that explains a day is the day's reason.
DAY_REASONS = {
    "closed": ("The site is closed or not open long enough", ""),
    "no-shift": ("No nurse is on shift for the whole visit", "Plan a shift in the roster."),
    "chairs-taken": ("No chair is free for the whole visit", ""),
    "patient-busy": ("The patient has another visit", ""),
    "nurse-hands-busy": ("No nurse has free hands at the start and at the end", ""),
    "ratio-full": ("Every nurse has as many patients as she may", ""),
    "nurse-busy": ("No nurse is free for the whole visit", ""),
    "nothing-together": ("Chair, nurse and patient are never free at the same time", ""),
}


def order_refusals(order: InfusionOrder, setting: str, course: CourseSoFar) -> list[Problem]:
    """What in the order stands against booking any visit in this setting."""
    found = []
    if order.status == OrderStatus.SIGNED and not order.infusion_minutes:
        message = "There is no verified rate schedule to plan the visit by, so nobody knows how long it takes."
        found.append(blocker("schedule-locked", message, remedy="A pharmacist signs the schedule in the formulary."))
    if setting == Setting.HOME and not order.home_allowed:
        message = "The order does not allow infusion at home."
        found.append(blocker("home-not-allowed", message, field="setting", remedy="Book a chair, or amend the order."))
    if order.doses_given < order.visits_authorized <= order.doses_given + course.booked:
        so_far = f"{order.doses_given} given, {course.booked} booked"
        message = f"No authorized visit is left: {order.visits_authorized} in all, {so_far}."
        found.append(blocker("visits-used-up", message, remedy="Ask for a new authorization."))
    return found


def window_refusals(order: InfusionOrder, window: DrugWindow, days: list[dt.date]) -> list[Problem]:
    """What the order's dates and interval take away from the days looked at."""
    found = []
    early = window.needs_approval_before
    if early and days[0] < early:
        message = f"Before {name_day(early)} the interval of {order.interval_days} days is not kept."
        found.append(warning("dose-too-early", message, remedy="An earlier visit needs a reason from a clinician."))
    if window.is_overdue:
        found.append(
            warning("dose-late", f"The visit was due on {name_day(window.due_on)}.", remedy="Take the first start.")
        )
    if days[-1] >= order.valid_until:
        found.append(
            note("order-ends", f"The order ends on {name_day(order.valid_until)}.", remedy="Ask for a new order.")
        )
    return found


def kind_needed(kind: str, number: int, site: Site) -> list[Problem]:
    """What a need of the patient takes away from the chairs."""
    name = ChairKind(kind).label.lower()
    if number:
        return [note("chair-kind-needed", f"The patient needs a {name}: only that kind is looked at ({number}).")]
    message = f"The patient needs a {name}, and {site.name} has none."
    return [blocker("chair-kind-missing", message, remedy="Choose another site, or change the booking preference.")]


def empty_window(order: InfusionOrder, window: DrugWindow, days: list[dt.date]) -> list[Problem]:
    if window.first > order.valid_until:
        message = f"The visit is due from {name_day(window.first)}; the order ends on {name_day(order.valid_until)}."
        return [blocker("order-expired", message, remedy="Ask for a new order.")]
    if not days:
        message = (
            f"The days asked for lie outside the order: {name_day(order.starts_on)} to {name_day(order.valid_until)}."
        )
        return [blocker("outside-order", message, remedy="Choose other days.")]
    return [blocker("in-the-past", "The days asked for are past.", remedy="Choose later days.")]


def explain_days(
    slices: Mapping[dt.date, DaySlice], parts: list[Fits], setting: str, anything_found: bool
) -> list[Problem]:
    """One problem per reason, with the days for which it is the first that binds."""
    days_by_reason: dict[str, list[dt.date]] = {}
    for day, one in slices.items():
        reason = _reason_of(fill(one.first, one.stop), parts, setting)
        if reason:
            days_by_reason.setdefault(reason, []).append(day)
    severity = Severity.NOTE if anything_found else Severity.WARNING
    return [
        Problem(code, severity, f"{message}: {name_days(days_by_reason[code])}.", remedy=remedy)
        for code, (message, remedy) in DAY_REASONS.items()
        if code in days_by_reason
    ]


def may_be_reseated(days: list[dt.date]) -> list[Problem]:
    """Days on which others might make room, and that this search did not ask about one start at a time."""
    if not days:
        return []
    message = f"If others change chair or nurse, a visit may fit on {name_days(days)}."
    return [note("may-be-reseated", message, remedy="Search one of these days by itself, or type a start.")]


def _reason_of(day: int, parts: list[Fits], setting: str) -> str | None:
    """The first condition that no start of the day satisfies; None when one fits or the day is over."""

    def any_start(*names: str) -> bool:
        for fits in parts:
            together = day
            for name in names:
                together &= getattr(fits, name)
            if together:
                return True
        return False

    if any_start("starts") or not any_start("allowed"):
        return None
    conditions = [
        ("closed", ["open"]),
        ("no-shift", ["open", "on_shift"]),
        ("chairs-taken", ["on_shift", "any_chair"]),
        ("patient-busy", ["open", "patient"]),
        ("nurse-hands-busy", ["open", "hands"]),
        ("ratio-full", ["open", "places"]),
        ("nurse-busy", ["open", "any_nurse"]),
    ]
    if setting == Setting.HOME:
        conditions = [(code, names) for code, names in conditions if code in {"no-shift", "patient-busy", "nurse-busy"}]
    return next((code for code, names in conditions if not any_start(*names)), "nothing-together")


def name_day(day: dt.date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


def name_days(days: Iterable[dt.date]) -> str:
    days = list(days)
    named = [f"{day:%a} {day.day} {day:%b}" for day in days[:DAYS_NAMED]]
    more = len(days) - len(named)
    return ", ".join(named) + (f" and {more} more day{'s' if more > 1 else ''}" if more else "")
