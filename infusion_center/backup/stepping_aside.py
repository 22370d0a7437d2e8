"""Triggers and foreign keys step aside while a backup is loaded, and stand afterwards exactly as before.

All of it inside the transaction of the load: who dies in between leaves the database as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from infusion_center.core.triggers import lifted


@contextmanager
def guards_aside(connection) -> Iterator[None]:
    """One transaction without triggers. At its end every foreign key holds again, or nothing was written."""
    connection.ensure_connection()
    if connection.vendor == "sqlite":  # it takes this outside of transactions only
        connection.disable_constraint_checking()
    try:
        with transaction.atomic(using=connection.alias, durable=True), lifted(connection):
            yield
    finally:
        if connection.vendor == "sqlite":
            connection.enable_constraint_checking()
