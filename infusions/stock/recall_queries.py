"""Reads of recalls: which lots must not be given, which recalls stand open, whom somebody has spoken to."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet

from infusions.formulary.models import Product
from infusions.stock.lots import written_lot
from infusions.stock.models import LotRecall


def open_recall_of(product: Product, lots: Collection[str]) -> LotRecall | None:
    """The open recall that any of these lots of the product falls under, the latest if several. One statement."""
    return open_recalls_of(product, lots).first()


def open_recalls_of(product: Product, lots: Collection[str]) -> QuerySet[LotRecall]:
    written = {written_lot(lot) for lot in lots}
    return LotRecall.objects.filter(product=product, closed_at=None, lots__lot__in=written).distinct()
