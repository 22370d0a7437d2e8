import datetime as dt

import pytest
import time_machine

from infusions.reports.scope import Scope


@pytest.fixture(autouse=True)
def _noon():
    """Wednesday 18 March 2026, noon in New York."""
    with time_machine.travel(dt.datetime(2026, 3, 18, 16, 0, tzinfo=dt.UTC), tick=False):
        yield


@pytest.fixture
def scope_of(manager):
    """scope_of(site, ...): the week of that Wednesday, as the manager may see it."""

    def scope(*sites, first=dt.date(2026, 3, 16), last=dt.date(2026, 3, 22)) -> Scope:
        return Scope(manager, sites, first, last)

    return scope
