"""A center in which a start fits only after somebody changes chair; shared by the tests of re-seating."""

import datetime as dt

from infusions.facility.models import Setting
from infusions.scheduling.invariants import claim_violations, shared_lanes, unstaffed_visits
from infusions.scheduling.reseat_plans import reseating_for
from infusions.scheduling.rules import examine
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment

DAY = dt.date(2026, 3, 3)
NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def make_crossed(center):
    """Two chairs; 08:00-12:00 in the first, 13:00-17:00 in the second: 10:00-14:00 fits only if one of them changes."""
    first, second = center.chairs
    return [
        make_appointment(chair=first, nurse=center.nurses[0], day=DAY, at="08:00", minutes=240),
        make_appointment(chair=second, nurse=center.nurses[1], day=DAY, at="13:00", minutes=240),
    ]


def order_of_four_hours(**fields):
    return make_order(infusion_minutes=180, **fields)


def plan_for(center, order, start="10:00", **wishes):
    proposal = examine(
        order=order, site=center.site, setting=Setting.FACILITY, start=center.at(start), now=NOW, **wishes
    )
    return reseating_for(proposal, now=NOW, **wishes)


def all_is_sound():
    return (claim_violations(), shared_lanes(), unstaffed_visits()) == ([], [], [])
