"""From where the present request comes, for audit rows; empty in jobs and commands."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infusion_center.audit.models import AuditEvent


@dataclass
class Origin:
    address: str | None = None
    path: str = ""
    device: str = ""
    written: list[AuditEvent] = field(default_factory=list)  # by this request, be it in a transaction taken back
    to_open: list[AuditEvent] = field(default_factory=list)  # what the page will show, if it answers with a page


current_origin: ContextVar[Origin | None] = ContextVar("current_origin", default=None)


def origin() -> Origin:
    return current_origin.get() or Origin()
