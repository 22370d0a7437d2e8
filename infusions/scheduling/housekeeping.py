"""What the schedule no longer needs: the claims of visits that are over. See docs/decisions/0011.

A claim keeps a quarter of an hour from being booked twice. Nothing is booked in the past, so two days after a visit
ended its claims guard nothing, while sixty rows a visit for years would make the table that every booking writes to
a hundred times larger.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q

from infusion_center.core import clock
from infusion_center.core.batches import in_parts
from infusion_center.core.retention import kept_for
from infusions.scheduling.models import Appointment, Claim
from infusions.scheduling.states import DONE, State

# Finished, or not come. A visit that nobody has settled keeps its claims, however long ago it was.
OVER = DONE | {State.NO_SHOW}
KEPT_FOR = kept_for("claims")
VISITS_AT_ONCE = 200


def let_go_before(now: dt.datetime) -> dt.datetime:
    """Visits over that ended before this instant need no claims."""
    return now - KEPT_FOR


def may_lack_claims(now: dt.datetime) -> Q:
    return Q(state__in=OVER, end__lt=let_go_before(now))


def trim_claims(*, now: dt.datetime | None = None) -> int:
    """Delete the claims of visits that are long over; how many. Safe to run twice, at once, and beside any booking.

    Each batch is a transaction of its own. It reads the table of claims once: its size follows the visits ahead.
    """
    now = now or clock.now()
    deleted = 0
    for batch in in_parts(_visits_to_trim(now), VISITS_AT_ONCE):
        with transaction.atomic():
            # Asked again under a lock: a no-show may just have arrived after all.
            visits = Appointment.objects.select_for_update().filter(may_lack_claims(now), pk__in=batch)
            keys = list(visits.order_by("pk").values_list("pk", flat=True))
            deleted += Claim.objects.filter(appointment__in=keys).delete()[0]
    return deleted


def _visits_to_trim(now: dt.datetime) -> list[int]:
    old = Claim.objects.filter(quarter__lt=clock.quarter_of(let_go_before(now)))
    visits = Appointment.objects.filter(may_lack_claims(now), pk__in=old.values("appointment"))
    return list(visits.order_by("pk").values_list("pk", flat=True))
