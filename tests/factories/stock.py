"""Stock for tests: items received through the service, so that their movements add up, and codes."""

import datetime as dt
from decimal import Decimal
from itertools import count

from infusions.formulary.models import Product
from infusions.stock.models import LotRecall, ProductCode, RecalledLot, StockItem
from infusions.stock.services import receive_vials
from tests.factories.accounts import make_staff

numbers = count(1)


def gtin_of(payload: str) -> str:
    """Thirteen digits and their check digit."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(payload)))
    return f"{payload}{-total % 10}"


def make_code(product: Product, *, grams="10", gtin: str = "") -> ProductCode:
    """A GTIN of the range for use inside a center, which no maker has."""
    gtin = gtin or gtin_of(f"002{next(numbers):010d}")
    return ProductCode.objects.create(gtin=gtin, product=product, grams=Decimal(grams))


def scan_of(code: ProductCode, *, lot="LOT1", expires="271031", serial="") -> str:
    """As a scanner sends it: lot last but for the serial, which a separator parts from it."""
    return f"]d201{code.gtin}17{expires}10{lot}" + (f"\x1d21{serial}" if serial else "")


def make_stock(
    *, site, product: Product, grams="10", lot="LOT1", count=5, expires_on=dt.date(2027, 10, 31), by=None, **more
) -> StockItem:
    return receive_vials(
        site=site,
        product=product,
        grams=Decimal(grams),
        lot=lot,
        expires_on=expires_on,
        count=count,
        by=by or make_staff(site=site),
        **more,
    )


def make_recall(product: Product, *lots: str, opened_at: dt.datetime, by=None, **fields) -> LotRecall:
    values = {"reason": "Particles found", "opened_by": by or make_staff(role="pharmacist")}
    recall = LotRecall.objects.create(product=product, opened_at=opened_at, **values | fields)
    RecalledLot.objects.bulk_create(RecalledLot(recall=recall, lot=lot) for lot in lots)
    return recall
