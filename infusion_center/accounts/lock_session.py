"""What a session knows: whose password when and from where, when somebody last did something, whether it is locked.

Also the session's store, by which a lock is never undone by a request that began before it.
"""

from __future__ import annotations

import datetime as dt

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.db import transaction

from infusion_center.accounts.models import OpenSession, SharedTablet, User
from infusion_center.accounts.tablet_services import PASSWORD_HOLDS

TABLET, PASSWORD_AT, SEEN_AT, LOCKED = "tablet", "password_at", "seen_at", "locked"
RIGHTS, PLACE = "rights", "place"
# The session is written at most this often; the browser reports what hands do as often.
TABLET_WRITE_SECONDS = 15
# So the last thing done may be this much later than what the session knows: nobody is locked too early.
LATE_SECONDS = 2 * TABLET_WRITE_SECONDS
SHORTEST_MINUTES = 1


class SessionStore(db.SessionStore):
    """A request under way while the tablet locks would write the session back as it had read it: unlocked."""

    may_unlock = False

    @classmethod
    def get_model_class(cls):
        return OpenSession

    def create_model_instance(self, data):
        """With whose it is beside the data, so that all of one person's are found, listed and ended."""
        row = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        return row

    def save(self, must_create: bool = False) -> None:
        if must_create or self.session_key is None or self.may_unlock or TABLET not in self:
            return super().save(must_create)
        with transaction.atomic():
            row = self.model.objects.select_for_update().filter(session_key=self.session_key).first()
            if row is not None and self.decode(row.session_data).get(LOCKED):
                self[LOCKED] = True
            return super().save(must_create)


def open_session(session, *, tablet: SharedTablet | None, password_at: dt.datetime, now: dt.datetime) -> None:
    """Somebody has just proved who he is."""
    session.may_unlock = True
    session[PASSWORD_AT], session[SEEN_AT] = int(password_at.timestamp()), int(now.timestamp())
    session.pop(LOCKED, None)
    if tablet is None:
        session.pop(TABLET, None)
    else:
        session[TABLET] = tablet.public_id


def is_locked(session) -> bool:
    return bool(session.get(LOCKED))


def password_time(session) -> dt.datetime | None:
    seconds = session.get(PASSWORD_AT)
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, tz=dt.UTC)


def has_left_its_tablet(session, tablet: SharedTablet | None) -> bool:
    """The tablet was revoked, or the cookie that proves it is gone: such a session is worth nothing."""
    return TABLET in session and (tablet is None or session[TABLET] != tablet.public_id)


def idle_seconds(session, now: dt.datetime) -> int | None:
    seen = session.get(SEEN_AT)
    return None if seen is None else int(now.timestamp()) - seen


def password_is_old(session, now: dt.datetime) -> bool:
    given = password_time(session)
    return given is None or now - given >= PASSWORD_HOLDS


def note_activity(session, now: dt.datetime, *, every: int = TABLET_WRITE_SECONDS) -> None:
    idle = idle_seconds(session, now)
    if idle is None or idle >= every:
        session[SEEN_AT] = int(now.timestamp())


def note_rights(session, user: User) -> None:
    session[RIGHTS] = user.rights_version


def rights_changed(session, user: User) -> bool:
    """Roles were given or taken since this session knew of them."""
    return RIGHTS in session and session[RIGHTS] != user.rights_version


def note_place(session, *, address: str | None, browser: str) -> None:
    """From where, for the person's own list of what is open."""
    session[PLACE] = {"address": address or "", "browser": browser[:300]}
