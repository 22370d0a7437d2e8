"""What a person had typed and not sent when the tablet locked: kept for that person only, for a day."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from infusion_center.accounts.models import KeptEntry, User
from infusion_center.core.retention import kept_for

KEPT_FOR = kept_for("typed")
MOST_FIELDS = 60
MOST_CHARACTERS = 2_000


@transaction.atomic
def keep_entry(*, user: User, path: str, fields: dict, now: dt.datetime) -> None:
    """The latest of a page replaces what was kept of it; whatever of anybody is older than a day goes."""
    KeptEntry.objects.filter(updated_at__lte=now - KEPT_FOR).delete()
    KeptEntry.objects.update_or_create(user=user, path=path, defaults={"fields": fields})


def drop_entry(*, user: User, path: str) -> None:
    KeptEntry.objects.filter(user=user, path=path).delete()


def entry_of(user: User, path: str, now: dt.datetime) -> KeptEntry | None:
    return KeptEntry.objects.filter(user=user, path=path, updated_at__gt=now - KEPT_FOR).first()
