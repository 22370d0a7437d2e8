"""What a report is about: the sites and local days asked for, and the only way to the visits in them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from infusion_center.accounts.models import User
from infusion_center.core import clock
from infusions.facility.models import Site
from infusions.facility.queries import Span
from infusions.scheduling.models import Appointment

TENTH = Decimal("0.1")
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Scope:
    """Local days from first to last included, each site's by its own clock, as far as `user` may see them."""

    user: User
    sites: tuple[Site, ...]
    first_day: dt.date
    last_day: dt.date

    def visits(self) -> QuerySet[Appointment]:
        """Visits that start on these days, in no order."""
        return Appointment.objects.visible_to(self.user).filter(self.within("start")).order_by()

    def within(self, moment: str) -> Q:
        """That a row's column `moment` lies on these days at the row's `site`: one clause for each time zone."""
        by_zone: dict[str, list[Site]] = defaultdict(list)
        for site in self.sites:
            by_zone[site.time_zone].append(site)
        clauses = []
        for zone_name, sites in by_zone.items():
            first, following = self.bounds(zone_name)
            clauses.append(Q(site__in=sites, **{f"{moment}__gte": first, f"{moment}__lt": following}))
        return reduce(or_, clauses, Q(pk__in=[]))

    def bounds(self, zone_name: str) -> Span:
        """First instant of the first day, and of the day after the last."""
        return clock.day_bounds(self.first_day, zone_name)[0], clock.day_bounds(self.last_day, zone_name)[1]


def share(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """`part` of 100 of `whole`, to a tenth; None where there is no whole."""
    return (Decimal(part) * 100 / Decimal(whole)).quantize(TENTH) if whole else None


def hours_of(length: dt.timedelta | None) -> Decimal:
    """Hours to a tenth."""
    return (Decimal((length or dt.timedelta()) // dt.timedelta(seconds=1)) / 3600).quantize(TENTH)
