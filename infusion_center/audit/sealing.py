"""Chains audit events in the order in which they are sealed: a short job, repeated, never part of a request.

Several sealers at once do no harm: a position and an event are each taken once, and who comes second tries again.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet

from infusion_center.audit import anchors, macs
from infusion_center.audit.models import AuditEvent, AuditLink
from infusion_center.core import clock

BATCH = 500
TRIES = 8
# Numbers are given before transactions end: a lower one may come after a higher one was sealed. No request lasts this
# long; what a longer job leaves behind is found by the thorough run before each check.
SETTLED_SECONDS = 10 * 60
LOOKED_BACK = 1000


def seal_pending(*, seconds: float = 20, thorough: bool = False) -> int:
    """Seal what no link names yet, and note the head outside. `thorough` looks at every event, not at the late ones."""
    ends, sealed, tries = time.monotonic() + seconds, 0, 0
    low = 0 if thorough else _settled_until()
    while time.monotonic() < ends and tries < TRIES:
        try:
            links = _seal_batch(low)
        except IntegrityError:
            tries += 1
            continue
        if not links:
            break
        sealed, low, tries = sealed + len(links), max(link.event_id for link in links), 0
    anchors.note_head(head())
    return sealed


def head() -> AuditLink | None:
    return AuditLink.objects.filter(position__gt=0).order_by("-position").first()


def waiting_count() -> int:
    """How many events no link names yet, late ones of very long transactions left out: a cheap question."""
    return unsealed(_settled_until()).count()


def unsealed(after: int = 0) -> QuerySet[AuditEvent]:
    links = AuditLink.objects.filter(event_id=OuterRef("pk"))
    return AuditEvent.objects.filter(~Exists(links), pk__gt=after)


@transaction.atomic
def _seal_batch(low: int) -> list[AuditLink]:
    # The head is read before the events: whoever seals in between takes the next position, and this batch is refused.
    last = head()
    rows = unsealed(low).order_by("pk").values_list("pk", "mac", *macs.SEALED)[:BATCH]
    return AuditLink.objects.bulk_create(_links(last, rows))


def _links(last: AuditLink | None, rows) -> Iterator[AuditLink]:
    position, digest = (last.position, last.digest) if last else (0, "")
    for event_id, mac, *values in rows:
        position, now = position + 1, clock.now()
        text = macs.link_text(digest, position, event_id, now, mac, macs.content_of(values))
        digest = macs.digest_of(text)
        yield AuditLink(position=position, event_id=event_id, sealed_at=now, digest=digest)


def _settled_until() -> int:
    """Below this number everything is sealed, but for what transactions of more than ten minutes write."""
    before = clock.now() - dt.timedelta(seconds=SETTLED_SECONDS)
    links = AuditLink.objects.filter(sealed_at__lt=before).order_by("-position")
    return max(links.values_list("event_id", flat=True)[:LOOKED_BACK], default=0)
