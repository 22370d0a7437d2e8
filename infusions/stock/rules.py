"""What may stand against receiving, moving and giving vials. Table with sources: docs/clinical-rules.md, Vials."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from infusion_center.core.rules import Problem, blocker
from infusions.formulary.models import Product
from infusions.formulary.queries import vial_sizes_g
from infusions.stock import queries
from infusions.stock.models import StockItem, Storage

LONGEST_SHELF_LIFE = dt.timedelta(days=5 * 366)
MOST_AT_ONCE = 1000


def room_use_by(product: Product, expires_on: dt.date, out_on: dt.date) -> dt.date:
    """The last day of a vial that left the refrigerator on `out_on`; its expiry where the label gives no days.

    Source: fact sheet 1a, storage of each product.
    """
    if product.room_temperature_days is None:
        return expires_on
    return min(expires_on, out_on + dt.timedelta(days=product.room_temperature_days))


def left_fridge_on(item: StockItem | None, today: dt.date) -> dt.date | None:
    """When a vial taken from stock left the refrigerator, as far as the stock tells."""
    if item is None or not item.product.needs_warming:
        return None
    if item.storage == Storage.REFRIGERATED:
        return today
    days = item.product.room_temperature_days
    return item.use_by - dt.timedelta(days=days) if days is not None and item.use_by < item.expires_on else None


def size_problems(product: Product, grams: Decimal) -> list[Problem]:
    sizes = vial_sizes_g(product)
    if grams in sizes:
        return []
    known = ", ".join(f"{size:f} g" for size in sizes)
    message = f"{product} has no vial of {grams.normalize():f} g."
    return [blocker("vial-size-unknown", message, field="grams", remedy=f"Its sizes are {known}.")]


def label_problems(lot: str, expires_on: dt.date | None, today: dt.date) -> list[Problem]:
    """Lot and expiry known, and in date on the site's local day.

    Source: fact sheet 3 (product row: expired blocks) and 5 (a blank lot or expiry never closes).
    """
    problems = []
    if not lot:
        problems.append(blocker("vial-lot-missing", "A vial without a lot cannot be recalled.", field="lot"))
    if expires_on is None:
        problems.append(blocker("vial-expiry-missing", "The expiry date is missing.", field="expires_on"))
    elif expires_on < today:
        problems.append(expired(expires_on))
    elif expires_on > today + LONGEST_SHELF_LIFE:
        message = f"No product keeps until {expires_on:%d-%b-%Y}."
        problems.append(blocker("vial-expiry-implausible", message, field="expires_on", remedy="Read the date again."))
    return problems


def expired(expires_on: dt.date) -> Problem:
    message = f"The vial expired on {expires_on:%d-%b-%Y}."
    return blocker("vial-expired", message, field="expires_on", remedy="Set it aside and take another vial.")


def room_problems(product: Product, expires_on: dt.date | None, out_on: dt.date | None, today: dt.date) -> list:
    """Out of the refrigerator no longer than the label allows. Source: fact sheet 1a, storage of each product."""
    if out_on is None or expires_on is None:
        return []
    if out_on > today:
        message = "It cannot have left the refrigerator on a day that is still to come."
        return [blocker("out-of-fridge-in-future", message, field="out_of_fridge_on")]
    last = room_use_by(product, expires_on, out_on)
    return [room_over(last)] if last < today else []


def room_over(last: dt.date) -> Problem:
    message = f"It was kept at room temperature too long: its last day was {last:%d-%b-%Y}."
    remedy = "It may not go back into the refrigerator. Set it aside and take another vial."
    return blocker("vial-room-temperature-over", message, field="out_of_fridge_on", remedy=remedy)


def recall_problems(product: Product, lots: Iterable[str]) -> list[Problem]:
    """A lot under an open recall is never given. Source: fact sheet 5, recalls."""
    return [
        blocker(
            "vial-lot-recalled",
            f"Lot {recalled.lot} of {product} is recalled: {recalled.recall.reason.rstrip('. ')}.",
            field="lot",
            remedy="Do not give it. Set every vial of this lot aside and tell the pharmacist.",
        )
        for recalled in queries.recalled_lots(product, lots)
    ]


def count_problems(count: int) -> list[Problem]:
    if 1 <= count <= MOST_AT_ONCE:
        return []
    return [blocker("count-implausible", f"Enter 1 to {MOST_AT_ONCE} vials.", field="count")]


def reason_problems(reason: str) -> list[Problem]:
    return [] if reason.strip() else [blocker("reason-missing", "Say why: it is kept.", field="reason")]


def receipt_problems(
    product: Product, *, grams: Decimal, lot: str, expires_on: dt.date | None, count: int, today: dt.date
) -> list[Problem]:
    return [
        *size_problems(product, grams),
        *label_problems(lot, expires_on, today),
        *count_problems(count),
        *recall_problems(product, [lot]),
    ]


def move_problems(item: StockItem, on: dt.date, today: dt.date) -> list[Problem]:
    """From the refrigerator to the room, never back."""
    if item.storage == Storage.ROOM:
        message = "These vials are out of the refrigerator already, and may not go back."
        return [blocker("already-at-room-temperature", message)]
    if on > today:
        return [blocker("day-in-future", "Choose today or an earlier day.", field="on")]
    if item.use_by < today:
        return [expired(item.use_by)]
    last = room_use_by(item.product, item.use_by, on)
    return [room_over(last)] if last < today else []


def too_few(left: int, what: str) -> Problem:
    """Somebody took them meanwhile, or the count on the page was wrong."""
    vials = f"{left} vial{'' if left == 1 else 's'}"
    return blocker("too-few-vials", f"There are only {vials} {what}.", field="count", remedy="Count again.")
