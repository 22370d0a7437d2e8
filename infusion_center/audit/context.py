"""From where the present request comes, for audit rows; empty in jobs and commands."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Origin:
    address: str | None = None
    path: str = ""
    device: str = ""
    recorded: bool = False  # whether this request left an event yet


current_origin: ContextVar[Origin | None] = ContextVar("current_origin", default=None)


def origin() -> Origin:
    return current_origin.get() or Origin()
