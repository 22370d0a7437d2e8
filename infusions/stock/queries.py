"""Reads of stock: what is on hand, how a lot stands, which lots are recalled, what has happened to an item."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from infusions.facility.models import Site
from infusions.formulary.models import Product
from infusions.stock.gs1 import ScannedVial
from infusions.stock.models import ProductCode, RecalledLot, StockItem

SOON = dt.timedelta(days=30)
STATES = {
    "usable": "Usable",
    "soon": "Last day within 30 days",
    "aside": "Set aside",
    "over": "Past the last day",
}


@dataclass(frozen=True)
class OnHand:
    """Vials of a product that may be given at a site."""

    by_size: dict[Decimal, int] = field(default_factory=dict)

    @property
    def vials(self) -> int:
        return sum(self.by_size.values())

    @property
    def grams(self) -> Decimal:
        return sum((size * count for size, count in self.by_size.items()), Decimal(0))


def on_hand(site: Site, product: Product, today: dt.date) -> OnHand:
    """One query. Lots under an open recall do not count."""
    usable = StockItem.objects.filter(site=site, product=product).usable(today)
    lots = RecalledLot.objects.filter(recall__product=product, recall__closed_at=None).values("lot")
    rows = usable.exclude(lot__in=lots).order_by("grams").values_list("grams").annotate(vials=Sum("on_hand"))
    return OnHand({Decimal(f"{grams.normalize():f}"): vials for grams, vials in rows})


def recalled_lots(product: Product, lots: Iterable[str]) -> QuerySet[RecalledLot]:
    """Which of these lots are under an open recall; the same lot in two recalls comes twice."""
    found = RecalledLot.objects.filter(lot__in=set(lots), recall__product=product, recall__closed_at=None)
    return found.select_related("recall").order_by("lot", "pk")


def code_of(scanned: ScannedVial) -> ProductCode | None:
    codes = ProductCode.objects.select_related("product").prefetch_related("product__vial_sizes")
    return codes.filter(gtin=scanned.gtin).first() if scanned.gtin else None


@dataclass(frozen=True)
class LotStanding:
    """How vials of one lot and size stand at a site on a day."""

    usable: int = 0
    over: int = 0  # on hand, but past their last day while the print is still in date
    over_since: dt.date | None = None
    quarantined: int = 0
    expiries: tuple[dt.date, ...] = ()

    @property
    def is_set_aside(self) -> bool:
        """Whatever the site has of the lot is set aside."""
        return self.quarantined > 0 and not self.usable and not self.over


def lot_standing(site: Site, product: Product, *, lot: str, grams: Decimal, today: dt.date) -> LotStanding:
    items = list(StockItem.objects.filter(site=site, product=product, lot=lot, grams=grams))
    over = [item for item in items if item.on_hand and item.use_by < today]
    return LotStanding(
        usable=sum(item.on_hand for item in items if item.use_by >= today),
        over=sum(item.on_hand for item in over),
        over_since=max((item.use_by for item in over if item.expires_on >= today), default=None),
        quarantined=sum(item.quarantined for item in items),
        expiries=tuple(sorted({item.expires_on for item in items})),
    )


def items_to_take(
    site: Site, product: Product, *, lot: str, grams: Decimal, expires_on: dt.date, today: dt.date
) -> QuerySet[StockItem]:
    """What is out of the refrigerator before what is in it, and what ends first before the rest."""
    items = StockItem.objects.usable(today).filter(site=site, product=product, lot=lot, grams=grams)
    return items.filter(expires_on=expires_on).order_by("-storage", "use_by", "pk")  # room, refrigerated


def stock_items(user, site: Site, *, product: Product | None, state: str, today: dt.date) -> QuerySet[StockItem]:
    """The list of a site, by product; what was used up is left out."""
    items = StockItem.objects.visible_to(user).filter(site=site).select_related("product")
    items = items.filter(Q(on_hand__gt=0) | Q(quarantined__gt=0))
    if product is not None:
        items = items.filter(product=product)
    wanted = {
        "usable": Q(on_hand__gt=0, use_by__gte=today),
        "soon": Q(on_hand__gt=0, use_by__gte=today, use_by__lte=today + SOON),
        "aside": Q(quarantined__gt=0),
        "over": Q(use_by__lt=today),
    }
    items = items.filter(wanted.get(state, Q()))
    return items.order_by("product__name", "product__concentration_mg_per_ml", "grams", "use_by", "lot", "pk")


def stock_violations() -> list[str]:
    """Items whose numbers are not the sums of their movements; must be empty at any time."""
    sums = StockItem.objects.annotate(
        moved=Coalesce(Sum("movements__change"), 0), aside=Coalesce(Sum("movements__quarantined_change"), 0)
    )
    wrong = sums.exclude(moved=F("on_hand"), aside=F("quarantined"))
    return [f"{item} {item.public_id}: {item.on_hand} and {item.moved}" for item in wrong.order_by("pk")]
