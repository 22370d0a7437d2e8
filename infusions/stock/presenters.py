"""Stock as pages show it: how near the last day is, and movements as sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from infusions.stock.models import MovementKind, RecalledLot, StockItem, StockMovement
from infusions.stock.queries import SOON

ICONS = {
    MovementKind.RECEIVED: "package-plus",
    MovementKind.TO_ROOM: "thermometer",
    MovementKind.FROM_FRIDGE: "thermometer",
    MovementKind.USED: "droplets",
    MovementKind.TAKEN_BACK: "undo-2",
    MovementKind.DISCARDED: "trash-2",
    MovementKind.QUARANTINED: "hand",
    MovementKind.RELEASED: "check",
    MovementKind.CORRECTED: "pencil",
}


@dataclass(frozen=True)
class Row:
    item: StockItem
    days_left: int
    is_recalled: bool

    @property
    def is_over(self) -> bool:
        return self.days_left < 0

    @property
    def is_soon(self) -> bool:
        return 0 <= self.days_left <= SOON.days


def rows_of(items: Iterable[StockItem], today: dt.date) -> list[Row]:
    items = list(items)
    open_recalls = RecalledLot.objects.filter(recall__closed_at=None, lot__in={item.lot for item in items})
    recalled = set(open_recalls.values_list("recall__product_id", "lot"))
    return [Row(item, (item.use_by - today).days, (item.product_id, item.lot) in recalled) for item in items]


@dataclass(frozen=True)
class Event:
    """One movement: what happened to how many vials, and how many were on hand after it."""

    movement: StockMovement
    icon: str
    text: str
    left: int


def history(item: StockItem) -> list[Event]:
    """Newest first."""
    events, left = [], 0
    for movement in item.movements.select_related("by").order_by("at", "pk"):
        left += movement.change
        number = abs(movement.change or movement.quarantined_change)
        text = f"{movement.get_kind_display()}: {number} vial{'' if number == 1 else 's'}"
        events.append(Event(movement, ICONS[MovementKind(movement.kind)], text, left))
    return events[::-1]
