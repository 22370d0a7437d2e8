"""Sites of the bigger demo tiers: time zones, hours, chairs, nurses and their rosters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infusion_center.accounts.models import RoleGrant, User
from infusion_center.accounts.services import create_staff
from infusion_center.core import clock
from infusions.checklists.catalog import load_template
from infusions.demo import DEMO_PASSWORD
from infusions.demo_people import FAMILY_NAMES, GIVEN_NAMES, STAFF
from infusions.facility import services as facility
from infusions.facility.models import Chair, ChairKind, Nurse, Setting, Shift, Site, SiteMembership
from infusions.facility.queries import closed_days, days_between, wall_instant
from infusions.formulary.catalog import load_catalog

if TYPE_CHECKING:
    from infusions.demo_tiers import Tier

BATCH = 2000
SITES_OF_LOGINS = 3
OPENS, CLOSES = dt.time(7), dt.time(20)
ROAD_FROM, ROAD_TO = dt.time(8), dt.time(18)
# (zone, country, region): from half an hour beside the full hour to a place without summer time.
ZONES = [
    ("America/New_York", "US", "NY"),
    ("America/Chicago", "US", "IL"),
    ("America/Denver", "US", "CO"),
    ("America/Los_Angeles", "US", "CA"),
    ("America/St_Johns", "CA", "NL"),
    ("America/Phoenix", "US", "AZ"),
    ("America/Anchorage", "US", "AK"),
    ("Pacific/Honolulu", "US", "HI"),
    ("America/Detroit", "US", "MI"),
    ("America/Halifax", "CA", "NS"),
]
STREETS = ("Maple", "Cedar", "Willow", "Juniper", "Aspen", "Birch", "Hazel", "Linden", "Rowan", "Alder")
QUARTERS = ("North", "South", "East", "West", "Lake", "Hill", "Park", "Mill", "Bridge", "Garden")


@dataclass
class Place:
    """A site and what the filling of its days looks at."""

    site: Site
    chairs: list[Chair]
    nurses: list[Nurse]
    home_nurses: list[Nurse]
    scheduler: User
    pharmacist: User
    weekdays: int = 5

    def on_duty(self, nurses: Sequence[Nurse], day: dt.date) -> list[Nurse]:
        """Every nurse has one weekday off, spread over the week."""
        return [nurse for number, nurse in enumerate(nurses) if number % 5 != day.weekday()]

    def open_days(self, first_day: dt.date, last_day: dt.date) -> list[dt.date]:
        closed = closed_days(self.site, first_day, last_day)
        return [day for day in days_between(first_day, last_day) if day.weekday() < self.weekdays and day not in closed]


def open_organisation() -> dict[str, User]:
    """Formulary, checklist and the demo logins: by role, and the "home nurse"."""
    staff: dict[str, User] = {}
    people = sorted((one for one in STAFF if one[0].startswith("Demo")), key=lambda one: one[1] != "manager")
    for name, role, email, visits_homes in people:
        manager = staff.get("manager")
        user = create_staff(email=email, full_name=name, roles=[role], password=DEMO_PASSWORD, by=manager)
        staff["home nurse" if visits_homes else role] = user
    load_catalog()
    load_template(by=staff["manager"])
    return staff


def open_site(tier: Tier, number: int, *, staff: dict[str, User], **fields) -> Place:
    """A site of its own zone, opened by the manager; the other demo logins belong to the first ones."""
    zone, country, region = ZONES[number % len(ZONES)]
    street, quarter = STREETS[number % 10], QUARTERS[number // 10 % 10]
    values = {
        "name": f"{street} {quarter} Infusion Center (demo {number + 1})",
        "mail_name": f"{street} {quarter} Center",
        "time_zone": zone,
        "country": country,
        "region": region,
        "address": f"{number + 1} {street} Street, Demoville",
        "phone": "+1 212 555 0100",
        "email": f"site{number + 1}@demo.example.org",
    }
    weekdays = dict.fromkeys(range(5), (OPENS, CLOSES))
    site = facility.create_site(by=staff["manager"], hours=weekdays, **values | fields)
    if tier.weekdays < 7:
        facility.add_public_holidays(site=site, year=clock.now().year, by=staff["manager"])
    chairs = Chair.objects.bulk_create(
        Chair(site=site, name=f"Chair {place}", kind=chair_kind(place), position=place)
        for place in range(1, tier.chairs + 1)
    )
    nurses = hire_nurses(number, tier.nurses, first=staff["nurse"] if number == 0 else None)
    home_nurses = hire_nurses(
        number, tier.home_nurses, first=staff["home nurse"] if number == 0 else None, visits_homes=True
    )
    members = [user for role, user in staff.items() if role != "manager" and number < SITES_OF_LOGINS]
    members += [nurse.user for nurse in [*nurses, *home_nurses] if nurse.user not in members]
    SiteMembership.objects.bulk_create(SiteMembership(site=site, user=user) for user in members)
    return Place(site, chairs, nurses, home_nurses, staff["scheduler"], staff["pharmacist"], tier.weekdays)


def chair_kind(place: int) -> str:
    return ChairKind.BED if place % 7 == 0 else ChairKind.PRIVATE_ROOM if place % 11 == 0 else ChairKind.RECLINER


def hire_nurses(site_number: int, count: int, *, first: User | None, visits_homes: bool = False) -> list[Nurse]:
    """`first`, who signs in as a demo login, and others whom nobody can sign in as."""
    given = [*GIVEN_NAMES["F"].split(), *GIVEN_NAMES["M"].split()]
    users = []
    for number in range(count - (first is not None)):
        at = site_number * 31 + number * 7 + (13 if visits_homes else 0)
        name = f"{given[at % len(given)]} {FAMILY_NAMES[(at * 3 + number) % len(FAMILY_NAMES)]}"
        email = f"{'road' if visits_homes else 'nurse'}{number + 1}.site{site_number + 1}@demo.example.org"
        initials = "".join(word[0] for word in name.split())
        user = User(email=email, full_name=name, initials=initials)
        user.set_unusable_password()
        users.append(user)
    users = User.objects.bulk_create(users)
    RoleGrant.objects.bulk_create(RoleGrant(user=user, role="nurse", granted_at=clock.now()) for user in users)
    everybody = [first, *users] if first else users
    return Nurse.objects.bulk_create(Nurse(user=user, visits_homes=visits_homes) for user in everybody[:count])


def write_rosters(place: Place, first_day: dt.date, last_day: dt.date) -> None:
    """A shift over the opening hours for each nurse on duty, on every open day."""
    Shift.objects.bulk_create(_shifts(place, first_day, last_day), batch_size=BATCH)


def _shifts(place: Place, first_day: dt.date, last_day: dt.date):
    site = place.site
    kinds = [
        (place.nurses, Setting.FACILITY, OPENS, CLOSES, site.default_ratio),
        (place.home_nurses, Setting.HOME, ROAD_FROM, ROAD_TO, 1),
    ]
    for day in place.open_days(first_day, last_day):
        for nurses, setting, starts, ends, ratio in kinds:
            for nurse in place.on_duty(nurses, day):
                yield Shift(
                    nurse=nurse,
                    site=site,
                    setting=setting,
                    starts_at=wall_instant(day, starts, site.time_zone),
                    ends_at=wall_instant(day, ends, site.time_zone),
                    ratio=ratio,
                )
