"""Sites, chairs, nurses and shifts for tests. The default site lies in New York and is open on weekdays 08-18."""

import datetime as dt
from itertools import count

from infusion_center.accounts.models import User
from infusion_center.accounts.roles import Role
from infusion_center.core import clock
from infusions.facility.models import Chair, Nurse, OpeningHours, Setting, Shift, Site
from patients.models import Patient
from patients.site_models import PatientSite
from tests.factories.accounts import make_staff

numbers = count(1)


def make_site(
    *, name: str = "", time_zone: str = "America/New_York", weekdays=range(5), opens="08:00", closes="18:00", **fields
) -> Site:
    # Day sheets are about every shift near now: only tests of them want them among the messages.
    values = {"sends_day_sheet": False} | fields
    site = Site.objects.create(name=name or f"Center {next(numbers)}", time_zone=time_zone, **values)
    if not Site.objects.exclude(pk=site.pk).exists():
        # The first one treats the patients made before it.
        PatientSite.objects.bulk_create(
            PatientSite(patient=patient, site=site, added_at=clock.now())
            for patient in Patient.objects.filter(site_links=None)
        )
    OpeningHours.objects.bulk_create(
        OpeningHours(site=site, weekday=day, opens=dt.time.fromisoformat(opens), closes=dt.time.fromisoformat(closes))
        for day in weekdays
    )
    return site


def make_chair(*, site: Site, name: str = "", **fields) -> Chair:
    number = next(numbers)
    return Chair.objects.create(site=site, name=name or f"Chair {number}", position=number, **fields)


def make_nurse(*, site: Site | None = None, user: User | None = None, visits_homes: bool = False) -> Nurse:
    return Nurse.objects.create(user=user or make_staff(role=Role.NURSE, site=site), visits_homes=visits_homes)


def make_shift(
    *, nurse: Nurse, site: Site, day: dt.date, start="08:00", end="18:00", ratio: int = 4, setting=Setting.FACILITY
) -> Shift:
    """A shift by the site's wall clock."""
    return Shift.objects.create(
        nurse=nurse,
        site=site,
        setting=setting,
        ratio=1 if setting == Setting.HOME else ratio,
        starts_at=clock.from_local(day, dt.time.fromisoformat(start), site.time_zone),
        ends_at=clock.from_local(day, dt.time.fromisoformat(end), site.time_zone),
    )
