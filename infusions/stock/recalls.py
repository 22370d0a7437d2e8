"""Writes of recalls: open, widen and close one, and note each try to reach a patient."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.locks import lock_rows
from infusion_center.core.rules import refuse_if_blocking
from infusions.formulary.models import Product
from infusions.stock import recall_rules as rules
from infusions.stock.lots import written_lot
from infusions.stock.models import LotRecall, MovementKind, RecallContact, RecalledLot, StockItem, StockMovement
from infusions.stock.recall_queries import lots_under_recall
from patients.models import Patient


@dataclass(frozen=True)
class SetAside:
    """What went into quarantine: vials in all, and public ids of the sites they lie at."""

    vials: int
    sites: list[str]


@transaction.atomic
def open_recall(
    *, product: Product, lots: Collection[str], reason: str, reference: str = "", by, now: dt.datetime | None = None
) -> LotRecall:
    """Recall lots of a product everywhere; what is left of them is set aside at every site."""
    now, lots = now or clock.now(), _written(lots)
    _lock_product(product)
    taken = lots_under_recall(product, lots)
    refuse_if_blocking(rules.open_problems(lots, reason=reason, under_recall=taken))
    recall = LotRecall.objects.create(
        product=product, reason=reason.strip(), reference=reference.strip(), opened_at=now, opened_by=by
    )
    aside = _add_lots(recall, lots, by=by, now=now)
    _keep("opened", recall, by=by, lots=lots, vials=aside.vials, sites=aside.sites)
    return recall


@transaction.atomic
def extend_recall(*, recall: LotRecall, lots: Collection[str], by, now: dt.datetime | None = None) -> LotRecall:
    """More lots of the same recall; those that it names already are no mistake."""
    now = now or clock.now()
    _lock_product(recall.product)
    recall.refresh_from_db()
    named = set(recall.lots.values_list("lot", flat=True))
    lots = [lot for lot in _written(lots) if lot not in named]
    taken = lots_under_recall(recall.product, lots)
    refuse_if_blocking(rules.extend_problems(recall, lots, under_recall=taken))
    aside = _add_lots(recall, lots, by=by, now=now)
    _keep("extended", recall, by=by, lots=lots, vials=aside.vials, sites=aside.sites)
    return recall


@transaction.atomic
def close_recall(*, recall: LotRecall, reason: str, by, now: dt.datetime | None = None) -> LotRecall:
    """From now on the lots may be given again; vials set aside stay so until somebody releases or discards them."""
    _lock_product(recall.product)
    recall.refresh_from_db()
    refuse_if_blocking(rules.close_problems(recall, reason=reason))
    recall.closed_at, recall.closed_by, recall.close_reason = now or clock.now(), by, reason.strip()
    recall.save()
    _keep("closed", recall, by=by)
    return recall


@transaction.atomic
def note_contact(
    *, recall: LotRecall, patient: Patient, status: str, note: str = "", by, now: dt.datetime | None = None
) -> RecallContact:
    """One more line of the log. A closed recall takes them too: people call back late."""
    contact = RecallContact.objects.create(
        recall=recall, patient=patient, status=status, note=note.strip(), at=now or clock.now(), by=by
    )
    _keep("contact_noted", recall, by=by, patient=patient, status=status)
    return contact


def _written(lots: Collection[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, map(written_lot, lots))))


def _lock_product(product: Product) -> None:
    """Recalls of one product are opened, widened and closed one after the other, so that no lot is in two."""
    lock_rows(Product.objects.filter(pk=product.pk))


def _add_lots(recall: LotRecall, lots: Collection[str], *, by, now: dt.datetime) -> SetAside:
    RecalledLot.objects.bulk_create(RecalledLot(recall=recall, lot=lot) for lot in lots)
    return _set_aside(recall, lots, by=by, now=now)


def _set_aside(recall: LotRecall, lots: Collection[str], *, by, now: dt.datetime) -> SetAside:
    items = StockItem.objects.filter(product=recall.product, lot__in=lots)
    lock_rows(items)
    held = list(items.filter(on_hand__gt=0).select_related("site").order_by("pk"))
    StockItem.objects.filter(pk__in=[item.pk for item in held]).update(
        quarantined=F("quarantined") + F("on_hand"), on_hand=0, updated_at=now
    )
    StockMovement.objects.bulk_create(
        StockMovement(
            item=item,
            kind=MovementKind.QUARANTINED,
            change=-item.on_hand,
            quarantined_change=item.on_hand,
            reason=f"Recall {recall.public_id}",
            at=now,
            by=by,
        )
        for item in held
    )
    return SetAside(sum(item.on_hand for item in held), sorted({item.site.public_id for item in held}))


def _keep(action: str, recall: LotRecall, *, by, patient: Patient | None = None, **detail) -> None:
    audit.record(f"recall.{action}", recall, by=by, patient=patient, product=recall.product.key, **detail)
