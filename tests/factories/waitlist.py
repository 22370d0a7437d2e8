"""Waitlist entries and offers for tests: by default four weeks from today, any day and hour, a day's notice."""

import datetime as dt

from infusion_center.core import clock
from infusions.facility.models import Setting, Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling.models import OfferState, WaitlistEntry, WaitlistOffer, WaitlistState
from tests.factories.accounts import make_staff
from tests.factories.facility import make_site
from tests.factories.orders import make_order
from tests.factories.patients import link_site, make_patient


def make_entry(
    *,
    order: InfusionOrder | None = None,
    site: Site | None = None,
    by=None,
    state: str = WaitlistState.WAITING,
    **fields,
) -> WaitlistEntry:
    site = site or make_site()
    order = order or make_order(patient=make_patient(site=site))
    link_site(order.patient, site)
    today = clock.local_date(clock.now(), site.time_zone)
    values = {"first_on": today, "last_on": today + dt.timedelta(days=28), "setting": Setting.FACILITY}
    if state != WaitlistState.WAITING:
        values["closed_at"] = clock.now()
    by = by or make_staff(site=site)
    return WaitlistEntry.objects.create(
        order=order, patient=order.patient, site=site, created_by=by, state=state, **{**values, **fields}
    )


def make_offer(*, entry: WaitlistEntry, start: dt.datetime, state: str = OfferState.OPEN, **fields) -> WaitlistOffer:
    values = {"end": start + dt.timedelta(hours=4), "expires_at": start - dt.timedelta(hours=1)}
    if state != OfferState.OPEN:
        values["settled_at"] = clock.now()
    return WaitlistOffer.objects.create(
        entry=entry, start=start, state=state, offered_by=entry.created_by, **{**values, **fields}
    )
