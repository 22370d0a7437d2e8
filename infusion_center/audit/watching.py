"""The whole chain is checked once a day, in slices that leave the worker free; what came of it is an audit event."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

from infusion_center.audit import anchors, macs, services
from infusion_center.audit.models import AuditEvent, ChainCheck
from infusion_center.audit.sealing import head, seal_pending
from infusion_center.audit.verifying import BATCH, Walk, walk_on
from infusion_center.core import clock
from infusion_center.core.rules import Problem, blocker, warning

logger = logging.getLogger(__name__)
EVERY = dt.timedelta(hours=24)
SLICE_SECONDS = 15
TELL = "Tell whoever runs this system that the worker is down."
VERIFIED, FAILED = "audit.verified", "audit.verification_failed"


def check_slice(*, seconds: float = SLICE_SECONDS) -> None:
    """Go on with the check that runs, or begin one when the last is a day old; else do nothing."""
    check = ChainCheck.objects.first()
    if check is None or not is_ours(check) or (check.finished_at and is_old(check)):
        check = _begin()
    if check.finished_at:
        return
    walk, before = Walk(**check.state), check.position
    finished = walk_on(walk, noted(settings.AUDIT_HEAD_FILE), seconds=seconds)
    check.position, check.state, check.finished_at = walk.position, asdict(walk), clock.now() if finished else None
    vouch(check)
    changes = {name: getattr(check, name) for name in ("position", "state", "finished_at", "digest")}
    # Two at once: one of them counts.
    ours = ChainCheck.objects.filter(pk=check.pk, position=before, finished_at=None).update(**changes)
    if ours and finished:
        record_outcome(check, walk)


def _begin() -> ChainCheck:
    seal_pending(thorough=True)
    ChainCheck.objects.all().delete()
    check = ChainCheck(started_at=clock.now(), state=asdict(Walk()))
    vouch(check)
    check.save(force_insert=True)
    return check


def vouch(check: ChainCheck) -> None:
    """By a key: else whoever owns the database says here that the check has come past what he changed."""
    check.digest = macs.check_code(_said_by(check))


def is_ours(check: ChainCheck) -> bool:
    return macs.is_check_code(check.digest, _said_by(check))


def is_old(check: ChainCheck) -> bool:
    return not dt.timedelta() <= clock.now() - check.started_at < EVERY


def _said_by(check: ChainCheck) -> list:
    return [check.started_at, check.position, check.state, check.finished_at]


def noted(path: Path | None) -> dict[int, str]:
    return anchors.noted_heads(path) if path is not None and path.exists() else {}


def record_outcome(check: ChainCheck, walk: Walk) -> None:
    vouch(check)  # of the command, which keeps no state on its way
    check.save(update_fields=["digest"])
    action = FAILED if walk.findings else VERIFIED
    services.record(action, check, by=None, links=walk.links, findings=walk.findings, position=walk.position)
    for sentence in walk.told:
        logger.error("audit trail: %s", sentence)


@dataclass(frozen=True)
class ChainState:
    """What the trail page says of the chain."""

    sealed_at: dt.datetime | None
    position: int
    checked_at: dt.datetime | None
    findings: int

    @property
    def problems(self) -> list[Problem]:
        if self.findings:
            remedy = "Keep all backups, and let whoever runs this system run manage.py verify_audit."
            number = "one fault" if self.findings == 1 else f"{self.findings:,} faults"
            return [blocker("audit-changed", f"The last check of the audit trail found {number}.", remedy=remedy)]
        if self.checked_at and clock.now() - self.checked_at > 2 * EVERY:
            return [warning("audit-unchecked", "The audit trail was not checked in the last two days.", remedy=TELL)]
        return []


def chain_state() -> ChainState:
    last, checked = head(), _last_check()
    return ChainState(
        sealed_at=last.sealed_at if last else None,
        position=last.position if last else 0,
        checked_at=checked.at if checked else None,
        findings=int(checked.detail.get("findings", 0)) if checked else 0,
    )


def _last_check() -> AuditEvent | None:
    """By number, not by the time that it tells, and only one that this application wrote."""
    outcomes = AuditEvent.objects.filter(action__in=(VERIFIED, FAILED)).order_by("-pk")
    return next((event for event in outcomes.iterator(BATCH) if event.is_genuine), None)
