"""The work lists: what each holds, its rows, and how many there are. Part of the pages: reads every feature.

What a list holds is said once, by the query behind it; the count and the page ask the same one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Q
from django.urls import reverse

from infusion_center.accounts.roles import Permission
from infusions.checklists.stale_readings import stale_readings
from infusions.checklists.unwell import unwell_visits
from infusions.facility.models import Site
from infusions.reminders.after_care_calls import call_counts
from infusions.reminders.models import Reminder
from infusions.reminders.unreached import unreached_visits
from infusions.reminders.untold import untold_cancellations
from infusions.scheduling import work_rows
from infusions.scheduling.cover import uncovered_ids
from infusions.scheduling.due_orders import due_orders
from infusions.scheduling.ending_orders import ending_ids, ending_orders
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from infusions.scheduling.waitlist_queries import match_count, slots_with_waiting
from infusions.scheduling.work_rows import WorkRow

UNCONFIRMED_WITHIN = dt.timedelta(hours=48)


@dataclass(frozen=True)
class WorkList:
    slug: str
    title: str
    icon: str
    holds: str
    all_is_well: str
    rows: Callable[[Site, dt.datetime], Sequence] | None  # None: it has a page of its own
    row: Callable[..., WorkRow] | None = None
    url_name: str = ""
    permission: Permission = Permission.BOOK_APPOINTMENT

    @property
    def url(self) -> str:
        return reverse(self.url_name) if self.url_name else reverse("scheduling:work-list", args=[self.slug])


def unconfirmed_visits(site: Site, now: dt.datetime):
    """Visits of the next two days that the patient has not confirmed; those that he wants to move, however far ahead:
    he was promised a call."""
    soon, asks = Q(start__lte=now + UNCONFIRMED_WITHIN), Q(move_requested_at__isnull=False)
    return (
        Appointment.objects.filter(soon | asks, site=site, state=State.EXPECTED, start__gt=now)
        .select_related("patient", "chair")
        .order_by("start", "pk")
    )


def unreached_rows(site: Site, now: dt.datetime) -> list[tuple[Appointment, Reminder | None]]:
    """With the message that did not reach the patient, if one was tried. Three statements."""
    found = unreached_visits(site, now), untold_cancellations(site, now)
    visits = [visit for visits in found for visit in visits.select_related("patient", "chair")]
    visits.sort(key=lambda visit: (visit.start, visit.pk))
    reminders = Reminder.objects.in_bulk([visit.failed_id for visit in visits if visit.failed_id])
    return [(visit, reminders.get(visit.failed_id)) for visit in visits]


LISTS = (
    WorkList(
        "after-care",
        "After-care calls",
        "phone-call",
        "Patients who reported something after a visit, and whom a nurse has still to call.",
        "",
        None,
        url_name="reminders:after-care-list",
        permission=Permission.VIEW_DOSE,
    ),
    WorkList(
        "unwell",
        "Unwell before the visit",
        "thermometer",
        "Patients who reported signs of infection or little urine and were asked to call. Call those who have not. The"
        " visit itself settles it: they come, it is moved away or cancelled, or they answer otherwise.",
        "Nobody with a visit ahead reported signs of infection or little urine.",
        unwell_visits,
        work_rows.unwell_row,
        permission=Permission.VIEW_DOSE,
    ),
    WorkList(
        "uncovered",
        "Uncovered",
        "triangle-alert",
        "Visits that lost their nurse, their chair or the open site.",
        "",
        None,
        url_name="scheduling:cover-list",
    ),
    WorkList(
        "unconfirmed",
        "Not confirmed",
        "calendar-clock",
        "Visits of the next 48 hours that nobody has confirmed, and patients who asked for another time.",
        "Every patient of the next 48 hours has confirmed, and nobody asks for another time.",
        unconfirmed_visits,
        work_rows.unconfirmed_row,
    ),
    WorkList(
        "due-not-booked",
        "Due, not booked",
        "calendar-plus",
        "Signed orders whose next visit is due within two weeks, or overdue, with nothing booked.",
        "Everybody who is due has a visit booked.",
        due_orders,
        work_rows.due_row,
    ),
    WorkList(
        "ends-before-visit",
        "Order gives out",
        "calendar-x",
        "Orders on hold, stopped, ended or out of authorized visits before a visit that is booked.",
        "Every booked visit is carried by its order and its authorization.",
        ending_orders,
        work_rows.ending_row,
    ),
    WorkList(
        "stale-readings",
        "Weight or lab old",
        "weight",
        "Visits of the next two weeks at which the last weight or creatinine will be out of date.",
        "Weights and creatinine are in date for every visit of the next two weeks.",
        stale_readings,
        work_rows.stale_row,
    ),
    WorkList(
        "waitlist-matches",
        "Freed, waited for",
        "hourglass",
        "Hours that became free and that somebody on the waitlist may want.",
        "No freed hours that somebody waits for.",
        slots_with_waiting,
        work_rows.freed_row,
    ),
    WorkList(
        "failed-reminders",
        "Not reached",
        "mail-x",
        "Patients of the next two weeks whom no mail reaches: it failed or came back, or there is no consent"
        " or no address. Call, and press Confirmed; where the visit is cancelled, Told by phone.",
        "Every patient of the next two weeks was reached, or has confirmed.",
        unreached_rows,
        work_rows.unreached_row,
    ),
)
BY_SLUG = {one.slug: one for one in LISTS}


def lists_for(permissions: Collection[Permission]) -> list[WorkList]:
    """What was answered about a visit is not for everybody who books visits."""
    return [one for one in LISTS if one.permission in permissions]


def counts_of(site: Site, now: dt.datetime, *, fresh: bool = False) -> dict[str, int]:
    """Slug -> how many, in the order of the lists. One statement while they are remembered.

    `fresh`: count all of them now, because somebody has just done something about them.
    """
    keys = {name: f"work-counts-{name}-{site.pk}" for name in COUNTED}
    kept = {} if fresh else cache.get_many(keys.values())
    found: dict[str, int] = {}
    for name, (count, seconds) in COUNTED.items():
        if keys[name] not in kept:
            kept[keys[name]] = count(site, now)
            cache.set(keys[name], kept[keys[name]], seconds)
        found |= kept[keys[name]]
    return {one.slug: found[one.slug] for one in LISTS}


def quick_counts(site: Site, now: dt.datetime) -> dict[str, int]:
    """What can change at any minute: nine statements."""
    return {
        "after-care": sum(call_counts(site, now).values()),
        "unwell": len(unwell_visits(site, now)),
        "uncovered": len(uncovered_ids(site, now - dt.timedelta(days=1), now=now)),
        "unconfirmed": unconfirmed_visits(site, now).count(),
        "ends-before-visit": len(ending_ids(site, now)),
        "failed-reminders": unreached_visits(site, now).count() + untold_cancellations(site, now).count(),
    }


def slow_counts(site: Site, now: dt.datetime) -> dict[str, int]:
    """What changes by the day: a dozen statements."""
    return {
        "due-not-booked": len(due_orders(site, now)),
        "stale-readings": len(stale_readings(site, now)),
        "waitlist-matches": match_count(site, now),
    }


# For how many seconds a count is remembered, for all desks of a site at once: a menu on every page asks for it.
COUNTED = {"quick": (quick_counts, 15), "slow": (slow_counts, 60)}
