"""Writes of a site's stock: every change of a number is a movement beside it, in the same transaction."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.db.models import F

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.locks import lock_rows
from infusion_center.core.rules import RuleViolation, blocker, refuse_if_blocking
from infusions.facility.models import Site
from infusions.formulary.models import Product
from infusions.stock import queries, rules
from infusions.stock.gs1 import UnreadableCode, written_gtin
from infusions.stock.lots import written_lot
from infusions.stock.models import KnownLot, MovementKind, ProductCode, StockItem, StockMovement, Storage


@transaction.atomic
def receive_vials(
    *,
    site: Site,
    product: Product,
    grams: Decimal,
    lot: str,
    expires_on: dt.date | None,
    count: int,
    storage: str = "",
    source: str = "",
    by,
    now: dt.datetime | None = None,
) -> StockItem:
    """Vials that came in, into the refrigerator or, where the product needs none, onto the shelf."""
    now = now or clock.now()
    today, lot = clock.local_date(now, site.time_zone), written_lot(lot)
    _lock_recalls_of(product)
    problems = rules.receipt_problems(product, grams=grams, lot=lot, expires_on=expires_on, count=count, today=today)
    refuse_if_blocking(problems)
    storage = storage or (Storage.REFRIGERATED if product.needs_warming else Storage.ROOM)
    is_out = storage == Storage.ROOM and product.needs_warming
    item = _item(
        site=site,
        product=product,
        grams=grams,
        lot=lot,
        expires_on=expires_on,
        storage=storage,
        use_by=rules.room_use_by(product, expires_on, today) if is_out else expires_on,
    )
    know_lot(product=product, lot=lot)
    _move(item, MovementKind.RECEIVED, count, by=by, now=now, reason=source)
    _keep("received", item, by=by, count=count)
    return item


@transaction.atomic
def move_to_room(*, item: StockItem, count: int, on: dt.date, by, now: dt.datetime | None = None) -> StockItem:
    """Out of the refrigerator on the local day `on`, with the last day that follows from it. Nothing goes back."""
    now = now or clock.now()
    today = clock.local_date(now, item.site.time_zone)
    refuse_if_blocking([*rules.count_problems(count), *rules.move_problems(item, on, today)])
    room = _item(
        site=item.site,
        product=item.product,
        grams=item.grams,
        lot=item.lot,
        expires_on=item.expires_on,
        storage=Storage.ROOM,
        use_by=rules.room_use_by(item.product, item.use_by, on),
    )
    # The room before the refrigerator, as whoever takes vials does: two transactions never wait for each other.
    _move(room, MovementKind.FROM_FRIDGE, count, by=by, now=now)
    _move(item, MovementKind.TO_ROOM, -count, by=by, now=now)
    _keep("moved_to_room", item, by=by, count=count)
    return room


@transaction.atomic
def discard_vials(
    *, item: StockItem, count: int, reason: str, set_aside: bool = False, by, now: dt.datetime | None = None
) -> StockItem:
    """Thrown away, of those on hand or of those set aside."""
    refuse_if_blocking([*rules.count_problems(count), *rules.reason_problems(reason)])
    changes = (0, -count) if set_aside else (-count, 0)
    _move(item, MovementKind.DISCARDED, *changes, by=by, now=now or clock.now(), reason=reason)
    _keep("discarded", item, by=by, count=count)
    return item


@transaction.atomic
def quarantine_vials(*, item: StockItem, count: int, reason: str, by, now: dt.datetime | None = None) -> StockItem:
    """Set aside: still there, but not to be given."""
    refuse_if_blocking([*rules.count_problems(count), *rules.reason_problems(reason)])
    _move(item, MovementKind.QUARANTINED, -count, count, by=by, now=now or clock.now(), reason=reason)
    _keep("quarantined", item, by=by, count=count)
    return item


@transaction.atomic
def release_vials(*, item: StockItem, count: int, reason: str, by, now: dt.datetime | None = None) -> StockItem:
    """To be given again; a recalled lot is not."""
    _lock_recalls_of(item.product)
    problems = [*rules.count_problems(count), *rules.reason_problems(reason)]
    refuse_if_blocking([*problems, *rules.recall_problems(item.product, [item.lot])])
    _move(item, MovementKind.RELEASED, count, -count, by=by, now=now or clock.now(), reason=reason)
    _keep("released", item, by=by, count=count)
    return item


@transaction.atomic
def correct_count(
    *, item: StockItem, counted: int, reason: str, seen: int | None = None, by, now: dt.datetime | None = None
) -> StockItem:
    """What was counted is what is on hand. `seen` is the number on the page: vials used meanwhile spoil the count."""
    item.refresh_from_db(from_queryset=StockItem.objects.select_for_update())
    refuse_if_blocking([*rules.reason_problems(reason), *([] if counted == 0 else rules.count_problems(counted))])
    if seen is not None and seen != item.on_hand:
        message = f"Vials were moved since you opened the page: {item.on_hand} should be there now."
        raise RuleViolation([blocker("changed-meanwhile", message, field="count", remedy="Count again.")])
    if counted != item.on_hand:
        change = counted - item.on_hand
        _move(item, MovementKind.CORRECTED, change, by=by, now=now or clock.now(), reason=reason)
        _keep("corrected", item, by=by, change=change)
    return item


@transaction.atomic
def use_vial(
    *,
    site: Site,
    product: Product,
    grams: Decimal,
    lot: str,
    expires_on: dt.date,
    vial_id: str,
    by,
    now: dt.datetime,
) -> StockItem | None:
    """Take one vial for a dose; None when the site has none. Two tablets never take the same last one."""
    today = clock.local_date(now, site.time_zone)
    found = queries.items_to_take(site, product, lot=lot, grams=grams, expires_on=expires_on, today=today)
    for item in found.select_related("product"):
        if _change(item, -1, 0):
            _note(item, MovementKind.USED, -1, by=by, now=now, vial_id=vial_id)
            return item
    return None


@transaction.atomic
def take_back_vial(*, item: StockItem, vial_id: str, by, now: dt.datetime) -> None:
    """Not given after all: back to where it came from, set aside when its lot was recalled meanwhile."""
    is_recalled = queries.recalled_lots(item.product, [item.lot]).exists()
    change, aside = (0, 1) if is_recalled else (1, 0)
    _change(item, change, aside)
    _note(item, MovementKind.TAKEN_BACK, change, aside, by=by, now=now, vial_id=vial_id)


def know_lot(*, product: Product, lot: str) -> None:
    """Every lot received or given stands once in the list that recalls look through."""
    KnownLot.objects.get_or_create(product=product, lot=lot)


def hold_lot(*, product: Product, lot: str) -> None:
    """Know it, and hold it until the transaction ends: vials of one lot are added one after the other, so that two
    tablets never add the same serial."""
    know_lot(product=product, lot=lot)
    KnownLot.objects.select_for_update(no_key=True).get(product=product, lot=lot)


@transaction.atomic
def register_code(*, gtin: str, product: Product, grams: Decimal, by) -> ProductCode:
    """Say which product and size a code stands for. A code known otherwise must be removed by an administrator."""
    try:
        gtin = written_gtin(gtin)
    except UnreadableCode as error:
        raise RuleViolation([blocker("code-unreadable", str(error), field="gtin")]) from None
    refuse_if_blocking(rules.size_problems(product, grams))
    code, is_new = ProductCode.objects.get_or_create(
        gtin=gtin, defaults={"product": product, "grams": grams, "registered_by": by}
    )
    if not is_new and (code.product_id, code.grams) != (product.pk, grams):
        message = f"This code stands for {code.product} {code.grams.normalize():f} g already."
        raise RuleViolation([blocker("code-taken", message, field="gtin", remedy="Read the number on the vial again.")])
    if is_new:
        audit.record("stock.code_registered", code, by=by, product=product.key, grams=f"{grams.normalize():f}")
    return code


def _lock_recalls_of(product: Product) -> None:
    """A recall that is being opened waits, or is seen: no vial slips in between its look at the stock and its end."""
    lock_rows(Product.objects.filter(pk=product.pk))


def _item(**what) -> StockItem:
    return StockItem.objects.get_or_create(**what)[0]


def _move(item: StockItem, kind: str, change: int, aside: int = 0, *, by, now: dt.datetime, reason: str = "") -> None:
    """Change the numbers or refuse: a number never falls below zero, whoever else takes vials at this moment."""
    if not _change(item, change, aside):
        item.refresh_from_db()
        lack = (item.on_hand, "on hand") if change < 0 else (item.quarantined, "set aside")
        raise RuleViolation([rules.too_few(*lack)])
    _note(item, kind, change, aside, by=by, now=now, reason=reason)


def _change(item: StockItem, change: int, aside: int) -> bool:
    enough = StockItem.objects.filter(pk=item.pk, on_hand__gte=max(0, -change), quarantined__gte=max(0, -aside))
    if not enough.update(on_hand=F("on_hand") + change, quarantined=F("quarantined") + aside, updated_at=clock.now()):
        return False
    item.refresh_from_db(fields=["on_hand", "quarantined", "updated_at"])
    return True


def _note(
    item: StockItem,
    kind: str,
    change: int,
    aside: int = 0,
    *,
    by,
    now: dt.datetime,
    reason: str = "",
    vial_id: str = "",
) -> None:
    StockMovement.objects.create(
        item=item,
        kind=kind,
        change=change,
        quarantined_change=aside,
        reason=reason.strip()[:200],
        vial_id=vial_id,
        at=now,
        by=by,
    )


def _keep(action: str, item: StockItem, *, by, **detail) -> None:
    audit.record(f"stock.{action}", item, by=by, site=item.site, product=item.product.key, lot=item.lot, **detail)
