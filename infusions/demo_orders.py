"""Orders of the bigger demo tiers, in bulk, each with its signature and its events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from infusion_center.core import clock
from infusions.demo_crowd import Crowd, Guest, public_id
from infusions.demo_history import PlannedVisit
from infusions.demo_sites import BATCH
from infusions.orders.models import InfusionOrder, OrderEvent, OrderStatus, Signature
from infusions.orders.queries import OrderFacts
from infusions.orders.signing import content_hash, signed_content

NOTHING_GIVEN = (0, None)


def write_orders(crowd: Crowd, visits: Iterable[PlannedVisit], *, now: dt.datetime) -> None:
    """Every order of every guest; `visits` tell how many doses were given by each, and when the last one was."""
    given: dict[tuple[int, int], tuple[int, dt.date]] = {}
    for visit in visits:  # in the order of their days
        if visit.is_given(now):
            key = (id(visit.guest), visit.period)
            given[key] = (given.get(key, NOTHING_GIVEN)[0] + 1, visit.day)
    for guest in crowd.guests:
        guest.orders = [
            make_order(crowd, guest, number, *given.get((id(guest), number), NOTHING_GIVEN))
            for number in range(len(guest.periods))
        ]
    InfusionOrder.objects.bulk_create((order for guest in crowd.guests for order in guest.orders), batch_size=BATCH)
    Signature.objects.bulk_create(make_signatures(crowd), batch_size=BATCH)
    OrderEvent.objects.bulk_create(make_events(crowd, now), batch_size=BATCH)


def make_order(crowd: Crowd, guest: Guest, number: int, doses: int, last_dose_on: dt.date | None) -> InfusionOrder:
    starts_on, valid_until = guest.periods[number]
    is_stopped = guest.is_stopped and number == len(guest.periods) - 1
    return InfusionOrder(
        public_id=public_id(crowd.dice),
        patient=guest.patient,
        status=OrderStatus.STOPPED if is_stopped else OrderStatus.SIGNED,
        status_reason="Moved to another center" if is_stopped else "",
        starts_on=starts_on,
        valid_until=valid_until,
        weight_measured_on=starts_on,
        visits_authorized=-(-365 // guest.course.interval_days) + 2,
        authorization_number=f"AUTH-{guest.patient.mrn[4:]}-{number + 1}",
        home_allowed=guest.at_home,
        infusion_minutes=guest.minutes,
        at_risk=guest.at_risk,
        doses_given=doses,
        last_dose_on=last_dose_on,
        **crowd.plans.fields(guest.course, guest.kg),
    )


def make_signatures(crowd: Crowd) -> Iterator[Signature]:
    pharmacist = crowd.place.pharmacist
    for guest in crowd.guests:
        plan = crowd.plans.plan(guest.course, guest.kg, guest.at_risk)
        for order in guest.orders:
            facts = OrderFacts(
                on=order.starts_on,
                age_years=guest.patient.age_on(order.starts_on),
                conditions=frozenset(),
                risks=frozenset(),
                at_risk=guest.at_risk,
                weight=None,
                products=(plan,),
            )
            content = signed_content(order, facts, ())
            yield Signature(
                order=order,
                prescriber_name=order.prescriber_name,
                signed_by=pharmacist,
                signed_at=_morning_of(order.starts_on, crowd),
                content=content,
                content_hash=content_hash(content),
            )


def make_events(crowd: Crowd, now: dt.datetime) -> Iterator[OrderEvent]:
    for guest in crowd.guests:
        for order in guest.orders:
            signed_at = _morning_of(order.starts_on, crowd)
            yield OrderEvent(
                order=order, kind="drafted", at=signed_at - dt.timedelta(hours=1), by=crowd.place.scheduler
            )
            yield OrderEvent(order=order, kind="signed", at=signed_at, by=crowd.place.pharmacist)
            if order.status == OrderStatus.STOPPED:
                reason, at = order.status_reason, now - dt.timedelta(days=20)
                yield OrderEvent(order=order, kind="stopped", reason=reason, at=at, by=crowd.place.pharmacist)


def _morning_of(day: dt.date, crowd: Crowd) -> dt.datetime:
    return clock.from_local(day, dt.time(9), crowd.place.site.time_zone)
