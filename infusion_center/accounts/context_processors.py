"""What pages at a shared tablet need, so that they can lock themselves; asked for only there."""

from __future__ import annotations

from functools import cached_property

from django.conf import settings

from infusion_center.accounts import lock_session
from infusion_center.accounts.kept_services import entry_of
from infusion_center.accounts.middleware import lock_minutes
from infusion_center.accounts.models import TabletSignIn
from infusion_center.accounts.queries import people_at
from infusion_center.core import clock


class TabletLock:
    """The shared tablet as a page sees it; each fact is fetched when a template looks at it."""

    def __init__(self, request):
        self.request, self.tablet = request, request.shared_tablet

    @cached_property
    def seconds(self) -> int:
        return lock_minutes(self.request) * 60

    @cached_property
    def has_kept_entry(self) -> bool:
        return entry_of(self.request.user, self.request.path, clock.now()) is not None

    @cached_property
    def colleagues(self) -> list[TabletSignIn]:
        """The others who gave their password here today and can still prove themselves by PIN."""
        return [
            row
            for row in people_at(self.tablet, clock.now())
            if row.user_id != self.request.user.pk and row.has_pin and not row.needs_password
        ]


def handover(request) -> dict:
    """`desk_idle_seconds` at a desk; `tablet_lock` at a shared tablet; nothing while that is locked."""
    tablet, user = getattr(request, "shared_tablet", None), getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    if tablet is None:
        return {"desk_idle_seconds": settings.DESK_IDLE_MINUTES * 60}
    if lock_session.is_locked(request.session):
        return {}
    return {"tablet_lock": TabletLock(request)}
