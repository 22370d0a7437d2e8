"""A small center on a fixed Tuesday, five days before New York's clocks go forward."""

import datetime as dt
from dataclasses import dataclass

import pytest
import time_machine
from django.test import Client

from infusion_center.accounts.models import User
from infusion_center.core import clock
from infusions.facility.models import Chair, Nurse, Site
from tests.factories.accounts import force_login, make_staff
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.infusions.scheduling.reseating_center import make_crossed

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
DAY = dt.date(2026, 3, 3)


@pytest.fixture(autouse=True)
def _frozen_clock():
    with time_machine.travel(NOW, tick=False):
        yield


@dataclass
class Center:
    site: Site
    chairs: list[Chair]
    nurses: list[Nurse]
    scheduler: User

    def at(self, wall: str, day: dt.date = DAY) -> dt.datetime:
        return clock.from_local(day, dt.time.fromisoformat(wall), self.site.time_zone)


@pytest.fixture
def center(db) -> Center:
    """Two chairs, two nurses on shift from Monday to Friday of the week of DAY, open 08-18."""
    return make_center()


def make_center(*, chairs: int = 2, nurses: int = 2, days: int = 5, ratio: int = 4, **fields) -> Center:
    site = make_site(**fields)
    staff = [make_nurse(site=site) for _ in range(nurses)]
    for nurse in staff:
        for number in range(days):
            make_shift(nurse=nurse, site=site, day=dt.date(2026, 3, 2) + dt.timedelta(days=number), ratio=ratio)
    return Center(site, [make_chair(site=site) for _ in range(chairs)], staff, make_staff(role="scheduler", site=site))


@pytest.fixture
def desk(center):
    """Signed in at the front desk of the center."""
    return signed_in(center.scheduler)


def signed_in(user) -> Client:
    client = Client()
    force_login(client, user)
    return client


@pytest.fixture
def crossed(db):
    """Two chairs; 08:00-12:00 in the first, 13:00-17:00 in the second: 10:00-14:00 fits only if one of them changes."""
    center = make_center(chairs=2, nurses=2)
    return center, make_crossed(center)
