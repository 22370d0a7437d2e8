"""What the tests of the work lists share."""

import datetime as dt

from django.core.cache import cache

from infusions.scheduling.work_lists import BY_SLUG, counts_of
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, NOW

TODAY = NOW.date()
ONE = dt.timedelta(days=1)


def long_order(**fields):
    return make_order(
        **{"infusion_minutes": 180, "starts_on": TODAY - 300 * ONE, "valid_until": dt.date(2026, 6, 2)} | fields
    )


def visit_of(center, order, day=DAY, at="09:00", **fields):
    fields = {"chair": center.chairs[0], "nurse": center.nurses[0], "minutes": 60} | fields
    return make_appointment(order=order, site=center.site, day=day, at=at, **fields)


def rows_of(slug, center):
    """The rows of a list's page: who, why."""
    one = BY_SLUG[slug]
    found = list(one.rows(center.site, NOW))
    rows = [one.row(*each) if isinstance(each, tuple) else one.row(each) for each in found]
    cache.clear()
    assert counts_of(center.site, NOW)[slug] == len(rows)
    return [(row.patient.pk, row.when, row.why) for row in rows]
