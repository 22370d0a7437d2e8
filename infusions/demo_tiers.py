"""Builds demo organisations of many sites and years by bulk writes, lawful row by row. Same seed, same data.

The small tier is told by the services, visit by visit (demo.py); here ten thousand patients take a minute. Visits of
the past are finished ones without claims, as `trim_claims` leaves them, and without dose records.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from django.db import transaction

from infusion_center.accounts.models import User
from infusion_center.core import clock
from infusions.demo_crowd import Crowd, write_patients
from infusions.demo_history import plan_visits, write_visits
from infusions.demo_orders import write_orders
from infusions.demo_plans import PlanBook
from infusions.demo_sites import Place, open_organisation, open_site, write_rosters


@dataclass(frozen=True)
class Tier:
    """How much of everything one site has; the organisation has `sites` of them."""

    sites: int
    chairs: int
    nurses: int
    home_nurses: int
    patients: int
    years: float  # of history
    days_ahead: int = 75
    fill: float = 0.7  # of the chairs' open hours, on past days and today; the days ahead thin out
    roster_ahead: int = 0  # days of roster beyond those
    weekdays: int = 5  # from Monday on; open on all seven, a site closes on no holiday either


TIERS = {
    "regional": Tier(sites=10, chairs=15, nurses=6, home_nurses=3, patients=1000, years=1),
    "large": Tier(sites=50, chairs=20, nurses=8, home_nurses=4, patients=1000, years=5),
}


@dataclass
class Built:
    """What was built, for whoever goes on with it."""

    tier: Tier
    today: dt.date
    staff: dict[str, User]
    places: list[Place]
    visits: int = 0


def build_tier(
    tier: Tier, *, seed: int = 1, years: float | None = None, say: Callable[[str], None] = lambda line: None
) -> Built:
    """Open the organisation, then fill one site after the other, each in a transaction of its own."""
    tier = tier if years is None else replace(tier, years=years)
    now = clock.now()
    with transaction.atomic():
        staff = open_organisation()
    built, plans = Built(tier, now.date(), staff, []), PlanBook()
    for number in range(tier.sites):
        place, visits = build_site(tier, number, staff=staff, plans=plans, now=now, seed=seed)
        built.places.append(place)
        built.visits += visits
        say(f"Site {number + 1} of {tier.sites}: {place.site.name}, {visits:,} visits.")
    return built


@transaction.atomic
def build_site(
    tier: Tier, number: int, *, staff: dict[str, User], plans: PlanBook, now: dt.datetime, seed: int = 1, **fields
) -> tuple[Place, int]:
    """One site with its staff, patients, orders and visits. `fields` are the site's, such as its time zone."""
    dice = random.Random(f"{seed}-{number}")  # nosec B311: made-up people, the same again by the same seed
    place = open_site(tier, number, staff=staff, **fields)
    today = clock.local_date(now, place.site.time_zone)
    first_day = today - dt.timedelta(days=round(tier.years * 365))
    last_day = today + dt.timedelta(days=tier.days_ahead)
    write_rosters(place, first_day, last_day + dt.timedelta(days=tier.roster_ahead))
    crowd = Crowd(place, plans, dice, today, first_day, first_number=number * tier.patients)
    crowd.gather(tier)
    visits = plan_visits(crowd, tier, last_day)
    write_patients(crowd, now=now)
    write_orders(crowd, visits, now=now)
    return place, write_visits(crowd, visits, now=now)
