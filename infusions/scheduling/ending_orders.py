"""Orders and authorizations that give out before a visit that is booked, looked ahead over all booked visits."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Count, Max, Min, OuterRef, QuerySet, Subquery

from infusions.facility.models import Site
from infusions.orders.models import InfusionOrder, OrderStatus
from infusions.scheduling.models import Appointment
from infusions.scheduling.refusals import name_day
from infusions.scheduling.states import ON_SITE, UPCOMING

BOOKED = UPCOMING | ON_SITE


@dataclass(frozen=True)
class EndingOrder:
    """An order, the visits booked ahead that it does not carry, earliest first, and why."""

    order: InfusionOrder
    visits: list[Appointment]
    reasons: tuple[str, ...]


def ending_orders(site: Site, now: dt.datetime) -> list[EndingOrder]:
    """Orders with such visits at the site, by the first of them: three queries."""
    orders = InfusionOrder.objects.filter(pk__in=ending_ids(site, now)).select_related("patient", "product")
    visits: dict[int, list[Appointment]] = defaultdict(list)
    booked = Appointment.objects.filter(order__in=list(orders), state__in=BOOKED).select_related("site", "chair")
    for visit in booked.order_by("start", "pk"):
        visits[visit.order_id].append(visit)
    found = [_explained(order, visits[order.pk], site, now) for order in orders]
    return sorted((one for one in found if one.visits), key=lambda one: (one.visits[0].start, one.order.pk))


def ending_ids(site: Site, now: dt.datetime) -> list[int]:
    """Row numbers of the same orders, for the count: one query, a row for each order with visits ahead at the site."""
    booked = Appointment.objects.filter(order=OuterRef("order_id"), state__in=BOOKED).order_by().values("order_id")
    rows = (
        visits_ahead(site, now)
        .values("order_id")
        .annotate(
            first=Min("local_start"),
            last=Max("local_start"),
            booked=Subquery(booked.annotate(n=Count("pk")).values("n")),
        )
        .values_list(
            *("order_id", "order__status", "order__starts_on", "order__valid_until", "first", "last", "booked"),
            *("order__visits_authorized", "order__doses_given"),
        )
    )
    return [
        pk
        for pk, status, starts_on, valid_until, first, last, number, authorized, given in rows
        if status != OrderStatus.SIGNED
        or _day(last) > valid_until
        or _day(first) < starts_on
        or number > authorized - given
    ]


def visits_ahead(site: Site, now: dt.datetime) -> QuerySet[Appointment]:
    return Appointment.objects.upcoming(now).filter(site=site).order_by()


def _explained(order: InfusionOrder, booked: list[Appointment], site: Site, now: dt.datetime) -> EndingOrder:
    """`booked`: all visits of the order not yet over, at whatever site, in the order in which they use it up."""
    left = max(order.visits_authorized - order.doses_given, 0)
    beyond = {visit.pk for visit in booked[left:]}
    hit, reasons = [], []
    for visit in booked:
        why = _why_not_carried(order, visit, beyond)
        if why and visit.site_id == site.pk and visit.state in UPCOMING and visit.start >= now:
            hit.append(visit)
            reasons.append(why)
    return EndingOrder(order, hit, tuple(dict.fromkeys(reasons)))


def _why_not_carried(order: InfusionOrder, visit: Appointment, beyond: set[int]) -> str:
    if order.status != OrderStatus.SIGNED:
        word = {"held": "on hold", "stopped": "stopped"}.get(order.status, "not signed")
        return f"The order is {word}{f': {order.status_reason}' if order.status_reason else ''}"
    day = _day(visit.local_start)
    if day > order.valid_until:
        return f"The order ends on {name_day(order.valid_until)}"
    if day < order.starts_on:
        return f"The order starts on {name_day(order.starts_on)}"
    if visit.pk in beyond:
        number = order.visits_authorized
        return f"{number} visit{'' if number == 1 else 's'} authorized, {order.doses_given} given"
    return ""


def _day(local_start: str) -> dt.date:
    return dt.date.fromisoformat(local_start[:10])
