"""Whether a site has the product of an order on hand: one line above the starts found. Search itself never asks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import F, Sum

from infusion_center.core import clock
from infusions.facility.models import Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling.models import Appointment
from infusions.stock.queries import OnHand, on_hand

PROMISED_DAYS = 7


@dataclass(frozen=True)
class ProductOnHand:
    """Grams on hand, needed by this visit or course, and wanted by the visits of the next days."""

    stock: OnHand
    needed_g: Decimal
    promised_g: Decimal

    @property
    def is_enough(self) -> bool:
        return self.stock.grams - self.promised_g >= self.needed_g

    @property
    def is_none(self) -> bool:
        return not self.stock.vials


def product_on_hand(order: InfusionOrder, site: Site, now: dt.datetime) -> ProductOnHand | None:
    """None where the site does not track its stock. Two queries."""
    if not site.tracks_stock:
        return None
    stock = on_hand(site, order.product, clock.local_date(now, site.time_zone))
    return ProductOnHand(stock, needed_g(order), promised_g(order, site, now))


def needed_g(order: InfusionOrder) -> Decimal:
    """The whole course in grams, rounded as the order says."""
    exact = order.dose_mg_per_kg * order.dosing_weight_kg / 1000
    step = order.round_to_g or Decimal("0.1")
    return (exact / step).quantize(Decimal(1), ROUND_HALF_UP) * step


def promised_g(order: InfusionOrder, site: Site, now: dt.datetime) -> Decimal:
    """What other visits of the next days want of the product, before rounding: a rough number."""
    until = now + dt.timedelta(days=PROMISED_DAYS)
    visits = Appointment.objects.upcoming(now).filter(site=site, start__lt=until, order__product=order.product)
    day = F("order__dose_mg_per_kg") * F("order__dosing_weight_kg") / (1000 * F("order__days"))
    total = visits.exclude(order=order).aggregate(grams=Sum(day))["grams"] or 0
    return Decimal(total).quantize(Decimal(1), ROUND_HALF_UP)
