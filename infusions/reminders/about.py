"""What a message to staff is about; the others are about a visit or an offer, which are rows of their own."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from infusions.facility.models import Nurse, Site


@dataclass(frozen=True)
class DaySheet:
    """All that a nurse has on one day, by the site's calendar, at one site."""

    nurse: Nurse
    day: dt.date
    site: Site
    patient: None = None
    is_home: bool = False

    @property
    def reminders(self) -> QuerySet:
        return self.nurse.reminders.filter(day=self.day, day_site=self.site)
