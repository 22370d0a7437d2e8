"""From where the present request comes, for audit rows; empty in jobs and commands."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    address: str | None = None
    path: str = ""
    device: str = ""


NOWHERE = Origin()
current_origin: ContextVar[Origin] = ContextVar("current_origin", default=NOWHERE)
