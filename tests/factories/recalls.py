"""Known lots, stock and recalls for tests; written directly."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from infusion_center.accounts.models import User
from infusion_center.accounts.roles import Role
from infusion_center.core import clock
from infusions.facility.models import Site
from infusions.formulary.models import Product
from infusions.stock.models import KnownLot, LotRecall, RecalledLot, StockItem
from tests.factories.accounts import make_staff


def make_known_lots(product: Product, *lots: str) -> list[KnownLot]:
    return KnownLot.objects.bulk_create(KnownLot(product=product, lot=lot) for lot in lots)


def make_stock_item(site: Site, product: Product, *, lot="LOT1", grams="10", on_hand=5, **fields) -> StockItem:
    """In date for a year, in the refrigerator."""
    expires_on = clock.now().date() + dt.timedelta(days=365)
    values = {"expires_on": expires_on, "use_by": expires_on} | fields
    return StockItem.objects.create(
        site=site, product=product, lot=lot, grams=Decimal(grams), on_hand=on_hand, **values
    )


def make_recall(
    product: Product, lots: Iterable[str] = ("LOT1",), *, by: User | None = None, closed: bool = False, **fields
) -> LotRecall:
    by, now = by or make_staff(role=Role.PHARMACIST), clock.now()
    values = {"reason": "Hypersensitivity reports", "opened_at": now, "opened_by": by} | fields
    if closed:
        values |= {"closed_at": now, "closed_by": by, "close_reason": "All patients told"}
    recall = LotRecall.objects.create(product=product, **values)
    RecalledLot.objects.bulk_create(RecalledLot(recall=recall, lot=lot) for lot in lots)
    return recall
