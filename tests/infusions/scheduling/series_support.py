"""What the tests of series share: a center that is staffed for months, and plans as rows that can be read."""

import datetime as dt

from infusion_center.core import clock
from infusions.facility.models import Setting, Shift
from infusions.facility.queries import wall_instant
from infusions.scheduling.series_planning import plan_series
from tests.factories.accounts import make_staff
from tests.factories.facility import make_chair, make_nurse, make_site
from tests.factories.orders import make_order
from tests.infusions.scheduling.conftest import NOW, Center

TUESDAY = dt.date(2026, 3, 3)
TODAY = NOW.date()


def staffed_center(*, first=TODAY, days=120, chairs=2, nurses=2, without=(), **fields) -> Center:
    """Open and staffed 08-18 on weekdays; on the days `without` nobody works."""
    site = make_site(**fields)
    staff = [make_nurse(site=site) for _ in range(nurses)]
    Shift.objects.bulk_create(
        Shift(
            nurse=nurse,
            site=site,
            setting=Setting.FACILITY,
            ratio=4,
            starts_at=wall_instant(day, dt.time(8), site.time_zone),
            ends_at=wall_instant(day, dt.time(18), site.time_zone),
        )
        for day in (first + dt.timedelta(days=number) for number in range(days))
        if day not in without
        for nurse in staff
    )
    return Center(site, [make_chair(site=site) for _ in range(chairs)], staff, make_staff(role="scheduler", site=site))


def monthly_order(**fields):
    """Due every 28 +/- 4 days, three hours of infusion: four in the chair."""
    start = fields.pop("starts_on", TODAY)
    return make_order(
        **{"infusion_minutes": 180, "visits_authorized": 20, "valid_until": start + dt.timedelta(days=365)} | fields,
        starts_on=start,
    )


def plan(center, order, **wishes):
    return plan_series(order=order, site=center.site, setting=Setting.FACILITY, **wishes)


def rows(plan, zone="America/New_York"):
    """(number, local start or None, why or codes of the reasons)."""
    return [
        (
            line.number,
            f"{clock.to_local(line.starts[0], zone):%a %d %b %H:%M}" if line.starts else None,
            line.why if line.visits else sorted({problem.code for problem in line.problems}),
        )
        for line in plan.lines
    ]
