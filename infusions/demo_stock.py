"""Stock of the demo center: deliveries with fictional lots, and product numbers that no maker has."""

from __future__ import annotations

import calendar
import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from infusion_center.core import clock
from infusions import demo_people as people
from infusions.formulary.models import Product
from infusions.stock import services as stock
from infusions.stock.models import StockItem

if TYPE_CHECKING:
    from infusions.demo import Demo

DELIVERY = 12  # vials of a size that come at once
SOON = dt.timedelta(days=18)


def register_codes() -> None:
    """The numbers of what the demo center gives."""
    keys = {course.product for course in people.COURSES}
    for product in Product.objects.filter(key__in=keys).prefetch_related("vial_sizes").order_by("pk"):
        for size in product.vial_sizes.all():
            stock.register_code(gtin=gtin_of(product, size.grams), product=product, grams=size.grams, by=None)


def gtin_of(product: Product, grams: Decimal) -> str:
    """Restricted circulation: numbers that begin with 02 are for use inside a center."""
    payload = f"002{product.pk:05d}{int(grams * 100):05d}"
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(payload)))
    return f"{payload}{-total % 10}"


class Cabinet:
    """What lies at the demo center: received when a visit needs more than is left, a new lot every month."""

    def __init__(self, demo: Demo):
        self.demo, self.left = demo, demo.vials_left

    def provide(self, product: Product, grams: Decimal, count: int, when: dt.datetime) -> dict:
        """Lot and expiry of the vials that a visit takes; a delivery comes first where they do not last."""
        day = clock.local_date(when, self.demo.site.time_zone)
        lot, expires_on = f"DEMO{product.pk:02d}{day:%y%m}", month_end(day.year + 1, day.month)
        key = product.pk, grams, lot
        if self.demo.site.tracks_stock and self.left.get(key, 0) < count:
            self.receive(product, grams, lot, expires_on, count=max(DELIVERY, count), when=when)
            self.left[key] = self.left.get(key, 0) + max(DELIVERY, count)
        self.left[key] = self.left.get(key, 0) - count
        return {"lot": lot, "expires_on": expires_on}

    def receive(self, product, grams, lot, expires_on, *, when: dt.datetime, count: int = DELIVERY) -> StockItem:
        return stock.receive_vials(
            site=self.demo.site,
            product=product,
            grams=grams,
            lot=lot,
            expires_on=expires_on,
            count=count,
            source="Demo Wholesale",
            by=self.demo.staff["pharmacist"],
            now=when,
        )


def month_end(year: int, month: int) -> dt.date:
    return dt.date(year, month, calendar.monthrange(year, month)[1])


def fill_cabinets(demo: Demo, now: dt.datetime) -> None:
    """This morning: something for the coming week, something that ends soon, warmed, set aside, thrown away."""
    cabinet, nurse, pharmacist = Cabinet(demo), demo.staff["nurse"], demo.staff["pharmacist"]
    later = month_end(demo.today.year + 2, demo.today.month)
    items = []
    for product in {course.product: None for course in people.COURSES}:
        product = Product.objects.get(key=product)
        for size in product.vial_sizes.filter(grams__gte=5):
            lot = f"DEMO{product.pk:02d}NEXT"
            items.append(cabinet.receive(product, size.grams, lot, later, when=now))
    soon = items[0]
    cabinet.receive(soon.product, soon.grams, f"DEMO{soon.product_id:02d}SOON", demo.today + SOON, when=now, count=3)
    cold = next(item for item in items if item.storage == "refrigerated")
    stock.move_to_room(item=cold, count=4, on=demo.today, by=nurse, now=now)
    stock.quarantine_vials(item=items[-1], count=2, reason="Carton was damp on arrival", by=pharmacist, now=now)
    stock.discard_vials(item=items[1], count=1, reason="Dropped", by=nurse, now=now)
