"""The head of the chain, noted outside the database: who cuts the newest events off cannot cut these lines off too.

Two places: the log, and a file of lines {"at", "position", "digest"}. Each machine has a file of its own.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from infusion_center.core import clock

logger = logging.getLogger(__name__)
EVERY = dt.timedelta(minutes=1)
# A week of a busy center. Older heads are vouched for by newer ones.
REMEMBERED = 10_000
LINE_BYTES = 200


def note_head(link) -> None:
    """One line a minute at most, and none while the head stays."""
    path, now = settings.AUDIT_HEAD_FILE, clock.now()
    if link is None or path is None:
        return
    last = last_line(path)
    if last and (last["position"] == link.position or now - dt.datetime.fromisoformat(last["at"]) < EVERY):
        return
    line = json.dumps({"at": now.isoformat(), "position": link.position, "digest": link.digest})
    # One write of one short line: several processes may append at once.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a") as file:
        file.write(line + "\n")
    logger.info("audit head %s:%s", link.position, link.digest)


def last_line(path: Path) -> dict | None:
    """Read from the end: the file may hold years."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2 * LINE_BYTES))
        lines = _heads(line.decode(errors="replace") for line in file)
    return lines[-1] if lines else None


def noted_heads(path: Path) -> dict[int, str]:
    """position -> digest, of the newest lines."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return {line["position"]: line["digest"] for line in _heads(deque(file, maxlen=REMEMBERED))}


def set_aside(path: Path) -> Path | None:
    """After an older state was restored the noted heads speak of what is gone: keep them under another name."""
    if not path.exists():
        return None
    return path.rename(path.with_name(f"{path.stem}-until-{clock.now():%Y%m%dT%H%M%S}{path.suffix}"))


def _heads(lines: Iterable[str]) -> list[dict]:
    found = []
    for line in lines:
        try:
            head = json.loads(line)
            found.append({"at": head["at"], "position": int(head["position"]), "digest": str(head["digest"])})
        except (ValueError, TypeError, KeyError):  # the rest of a line cut by the seek, or by a full disk
            continue
    return found
