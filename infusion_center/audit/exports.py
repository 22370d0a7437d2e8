"""The trail as a file: CSV for spreadsheets, JSON lines for programs, each event with its place in the chain."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from infusion_center.audit import macs
from infusion_center.audit.models import AuditLink
from infusion_center.core import clock
from infusion_center.core.csv_text import csv_lines, csv_response, download_headers

BATCH = 900
COLUMNS = ("id", *macs.SEALED, "mac")
CHAIN = ("position", "digest")
FORMATS = ("csv", "jsonl")


def export_response(events: QuerySet, form: str) -> StreamingHttpResponse:
    name = f"audit-trail-{clock.now():%Y%m%d-%H%M}.{form}"
    if form == "csv":
        return csv_response(csv_lines([*CHAIN, *COLUMNS], _cells(events)), name)
    lines = (json.dumps(row, default=_text) + "\n" for row in export_rows(events))
    return StreamingHttpResponse(lines, content_type="application/jsonl; charset=utf-8", headers=download_headers(name))


def export_rows(events: QuerySet) -> Iterator[dict]:
    """Oldest first, in batches by number: neither all rows nor a cursor are held while the reader saves the file."""
    last, events = 0, events.order_by("pk")
    while rows := list(events.filter(pk__gt=last).values(*COLUMNS)[:BATCH]):
        links = AuditLink.objects.filter(event_id__in=[row["id"] for row in rows])
        places = {event_id: place for event_id, *place in links.values_list("event_id", *CHAIN)}
        for row in rows:
            position, digest = places.get(row["id"], (None, ""))  # not sealed yet
            yield {"position": position, "digest": digest, **row}
        last = rows[-1]["id"]


def _cells(events: QuerySet) -> Iterator[list[str]]:
    for row in export_rows(events):
        yield [_text(value) for value in row.values()]


def _text(value) -> str:
    if value is None:
        return ""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else str(value)
