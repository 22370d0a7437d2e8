"""Locks rows until the end of the transaction, before they are read with what they point at."""

from __future__ import annotations

from django.db.models import QuerySet


def lock_rows(rows: QuerySet) -> None:
    """Wait for and lock the rows, in the order of their numbers; read them afterwards, with their relations.

    In two statements, because PostgreSQL judges a row that changed while it was waited for by the relations that it
    had before: one that got another chair meanwhile would drop out of the join, or come without it. NO KEY: rows that
    refer to these may still be written.
    """
    list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
