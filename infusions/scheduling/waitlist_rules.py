"""Whether an order may wait for a freed start: its state, its days, the hours asked for, the visit that would move.

No clinical rule of its own: what forbids booking forbids waiting, because nothing could ever be offered.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from infusion_center.core.rules import Problem, Severity, blocker
from infusions.facility.models import WEEKDAYS, Site
from infusions.orders.models import InfusionOrder
from infusions.orders.rules import validity_problems
from infusions.scheduling.models import Appointment, WaitlistEntry, WaitlistState
from infusions.scheduling.queries import course_so_far
from infusions.scheduling.refusals import name_day, order_refusals
from infusions.scheduling.rules import interval_problems_on
from infusions.scheduling.slots import DATED
from infusions.scheduling.states import MOVABLE


@dataclass(frozen=True)
class Wish:
    """When and where the patient could come, at what notice; `instead_of` is the visit that would move."""

    site: Site
    setting: str
    first_on: dt.date
    last_on: dt.date
    weekdays: tuple[int, ...] = ()
    earliest: dt.time | None = None
    latest: dt.time | None = None
    notice_hours: int = 24
    instead_of: Appointment | None = None

    @property
    def days(self) -> list[dt.date]:
        span = range((self.last_on - self.first_on).days + 1)
        days = [self.first_on + dt.timedelta(days=number) for number in span]
        return [day for day in days if not self.weekdays or day.weekday() in self.weekdays]


def entry_problems(
    order: InfusionOrder, wish: Wish, *, today: dt.date, other: WaitlistEntry | None = None
) -> list[Problem]:
    """`other`: an entry of the order that waits already, apart from the one that is amended."""
    found = [*_order_problems(order, wish), *_visit_problems(order, wish), *_hour_problems(wish)]
    if other is not None:
        message = f"This order has been on the waitlist since {name_day(other.created_at.date())}."
        found.append(blocker("already-waiting", message, remedy="Change or close that entry."))
    return found + _day_problems(order, wish, today)


def not_waiting(entry: WaitlistEntry) -> Problem:
    how = {WaitlistState.BOOKED: "was booked", WaitlistState.CLOSED: f"was closed: {entry.close_reason}"}[entry.state]
    return blocker("not-waiting", f"This entry {how}.", remedy="Look at the waitlist again.")


def _order_problems(order: InfusionOrder, wish: Wish) -> list[Problem]:
    course = course_so_far(order, ignore=wish.instead_of)
    found = [p for p in validity_problems(order, wish.first_on) if p.code not in DATED]
    found += order_refusals(order, wish.setting, course)
    if order.days > 1:
        message = (
            f"A course over {order.days} consecutive days needs a time on each of them: one freed time is not enough."
        )
        found.append(blocker("course-waiting", message, remedy="Look for free days with the search."))
    if not order.patient.is_active:
        found.append(blocker("patient-inactive", "The patient's record is closed."))
    if wish.days and wish.last_on <= order.valid_until:
        late = interval_problems_on(order, course, max(wish.days))
        found += [
            blocker(p.code, f"Even the last of these days does not keep the interval. {p.message}", field="last_on")
            for p in late
            if p.severity == Severity.APPROVAL and p.code != "visit-same-day"
        ]
    return found


def _visit_problems(order: InfusionOrder, wish: Wish) -> list[Problem]:
    """The visit that would move must be one of this order that can still move, and leave room for an earlier one."""
    visit = wish.instead_of
    if visit is None:
        return []
    if (visit.order_id, visit.site_id, visit.setting) != (order.pk, wish.site.pk, wish.setting):
        message = "The visit to be moved belongs to another order or place."
        return [blocker("visit-of-another", message, field="instead_of", remedy="Choose a visit of this order here.")]
    if visit.state not in MOVABLE:
        message = f"The visit to be moved is {visit.get_state_display().lower()}."
        return [blocker("visit-not-movable", message, field="instead_of", remedy="Choose another visit, or none.")]
    on = dt.date.fromisoformat(visit.local_start[:10])
    if wish.first_on > on:
        message = f"The visit is on {name_day(on)}: none of these days is earlier."
        return [blocker("nothing-earlier", message, field="first_on", remedy="Begin with an earlier day.")]
    return []


def _hour_problems(wish: Wish) -> list[Problem]:
    if wish.earliest and wish.latest and wish.latest < wish.earliest:
        message = "The latest start is before the earliest."
        return [blocker("hours-backward", message, field="latest", remedy="Correct one of them.")]
    return []


def _day_problems(order: InfusionOrder, wish: Wish, today: dt.date) -> list[Problem]:
    if wish.last_on < wish.first_on:
        message = "The last day is before the first."
        return [blocker("days-backward", message, field="last_on", remedy="Correct one of them.")]
    if wish.last_on < today:
        return [blocker("in-the-past", "These days are past.", field="last_on", remedy="Choose later days.")]
    if wish.first_on < order.starts_on or wish.last_on > order.valid_until:
        message = f"The order holds from {name_day(order.starts_on)} to {name_day(order.valid_until)}."
        field = "first_on" if wish.first_on < order.starts_on else "last_on"
        return [blocker("outside-order", message, field=field, remedy="Choose days within it.")]
    if not wish.days:
        names = " or ".join(dict(WEEKDAYS)[day] for day in sorted(wish.weekdays))
        message = f"No {names} lies between these days."
        return [blocker("no-such-day", message, field="weekdays", remedy="Choose more days.")]
    return []
