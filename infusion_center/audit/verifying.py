"""Walks the chain and says what was changed, forged, removed, reordered or cut off. Writes nothing.

It walks in batches and can stop anywhere: a `Walk` holds how far it came, as plain values.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, field

from django.db.models import Count, Min

from infusion_center.audit import macs
from infusion_center.audit.models import AuditEvent, AuditLink
from infusion_center.audit.sealing import unsealed
from infusion_center.core import clock

BATCH = 900  # SQLite takes no more numbers in one statement everywhere
TOLD = 50
# The release before the codes may go on writing for so long while machines are brought up one by one.
ROLLING_UPGRADE = dt.timedelta(hours=1)


@dataclass
class Walk:
    position: int = 0
    digest: str = ""
    coded_since: str = ""  # when the first event with a code was sealed
    links: int = 0
    findings: int = 0
    told: list[str] = field(default_factory=list)  # the first of them, as sentences

    def find(self, kind: str, sentence: str) -> None:
        self.findings += 1
        if len(self.told) < TOLD:
            self.told.append(f"{kind}: {sentence}")


def walk_on(walk: Walk, heads: dict[int, str], *, seconds: float | None = None) -> bool:
    """Go on from where it stopped; whether the end was reached."""
    ends = time.monotonic() + seconds if seconds is not None else None
    while links := list(AuditLink.objects.filter(position__gt=walk.position).order_by("position")[:BATCH]):
        events = _events_of(links)
        for link in links:
            _check(walk, link, events.get(link.event_id), heads)
        if ends is not None and time.monotonic() > ends:
            return False
    _check_end(walk, heads)
    return True


def _events_of(links: list[AuditLink]) -> dict[int, tuple]:
    rows = AuditEvent.objects.filter(pk__in=[link.event_id for link in links]).order_by()
    return {pk: (mac, values) for pk, mac, *values in rows.values_list("pk", "mac", *macs.SEALED)}


def _check(walk: Walk, link: AuditLink, event: tuple | None, heads: dict[int, str]) -> None:
    """Each link is judged by the one before as it stands, so that one fault is told once."""
    if link.position != walk.position + 1:
        walk.find("removed", f"links {walk.position + 1} to {link.position - 1} of the chain are gone")
    if event is None:
        walk.find("removed", f"event {link.event_id}, sealed at position {link.position}, is gone")
    else:
        _check_event(walk, link, *event)
    if heads.get(link.position, link.digest) != link.digest:
        walk.find("cut", f"position {link.position} is not what was noted outside: the end was cut off")
    walk.position, walk.digest, walk.links = link.position, link.digest, walk.links + 1


def _check_event(walk: Walk, link: AuditLink, mac: str, values: list) -> None:
    content = macs.content_of(values)
    follows = link.position == walk.position + 1
    text = macs.link_text(walk.digest, link.position, link.event_id, link.sealed_at, mac, content)
    is_linked = not follows or macs.is_digest(link.digest, text)
    if mac:
        walk.coded_since = walk.coded_since or link.sealed_at.isoformat()
        if not macs.is_genuine(mac, content):
            walk.find("changed", f"event {link.event_id} does not say what it said when it was written")
            return
    elif walk.coded_since and link.sealed_at > dt.datetime.fromisoformat(walk.coded_since) + ROLLING_UPGRADE:
        walk.find("forged", f"event {link.event_id} was not written by this application")
        return
    if not is_linked:
        kind = "reordered" if mac else "changed"
        walk.find(kind, f"position {link.position}, now event {link.event_id}, does not hold what was sealed there")


def _check_unsealed(walk: Walk) -> None:
    """What no link names yet has its code alone."""
    since = dt.datetime.fromisoformat(walk.coded_since) if walk.coded_since else None
    needs_code = since is not None and clock.now() > since + ROLLING_UPGRADE
    for pk, mac, *values in unsealed().order_by("pk").values_list("pk", "mac", *macs.SEALED).iterator(BATCH):
        if mac and not macs.is_genuine(mac, macs.content_of(values)):
            walk.find("changed", f"event {pk}, not sealed yet, does not say what it said when it was written")
        elif not mac and needs_code:
            walk.find("forged", f"event {pk}, not sealed yet, was not written by this application")


def _check_end(walk: Walk, heads: dict[int, str]) -> None:
    # The application counts from one: below, neither the walk nor the sealer looks.
    for link in AuditLink.objects.filter(position__lte=0).order_by("position")[:TOLD]:
        walk.find("forged", f"position {link.position} of the chain, before its first, names event {link.event_id}")
    for number in AuditEvent.objects.filter(pk__lte=0).order_by("pk").values_list("pk", flat=True)[:TOLD]:
        walk.find("forged", f"event {number} has a number that this application never gives")
    _check_unsealed(walk)
    later = max(heads, default=0)
    if later > walk.position:
        walk.find("cut", f"the chain ends at position {walk.position}; it went to {later} when that was noted outside")
    twice = AuditEvent.objects.exclude(mac="").order_by().values("mac").annotate(n=Count("pk"), first=Min("pk"))
    for row in twice.filter(n__gt=1)[:TOLD]:
        walk.find("forged", f"event {row['first']} stands {row['n']} times in the trail")
