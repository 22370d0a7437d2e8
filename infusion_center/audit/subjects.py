"""What an event is about when it is about no row: a command's work."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace


@dataclass(frozen=True)
class Subject:
    """Stands where an event expects a row; names nobody."""

    kind: str
    name: str

    @property
    def pk(self) -> str:
        return self.kind

    @property
    def _meta(self) -> SimpleNamespace:
        return SimpleNamespace(model_name=self.kind)

    def __str__(self) -> str:
        return self.name
