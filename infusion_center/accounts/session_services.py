"""Ends open sessions: one's own, or those of a colleague."""

from django.db import transaction

from infusion_center.accounts.lock_session import TABLET
from infusion_center.accounts.manager_mail import tell_other_managers
from infusion_center.accounts.models import OpenSession, SharedTablet, User
from infusion_center.accounts.services import end_sessions
from infusion_center.accounts.tablet_services import forget_passwords
from infusion_center.audit import services as audit


@transaction.atomic
def end_session(*, session: OpenSession, by: User) -> None:
    """At a shared tablet the PIN must not open it again either."""
    tablet = SharedTablet.objects.filter(public_id=session.get_decoded().get(TABLET, "")).first()
    if tablet is not None:
        forget_passwords(user=by, tablet=tablet)
    session.delete()
    audit.record("staff.sessions_ended", by, by=by, count=1)


@transaction.atomic
def end_other_sessions(*, key: str, by: User) -> int:
    """All of one's own but the one with this key; the PIN opens no shared tablet either until the next password."""
    ended, _ = by.open_sessions.exclude(session_key=key).delete()
    forget_passwords(user=by)
    audit.record("staff.sessions_ended", by, by=by, count=ended)
    return ended


@transaction.atomic
def end_sessions_of(*, user: User, by: User) -> None:
    """A manager ends all that a colleague has open: a lost phone, a desk left behind."""
    count = user.open_sessions.count()
    end_sessions(user)
    forget_passwords(user=user)
    audit.record("staff.sessions_ended", user, by=by, count=count)
    done = "ended the open sessions of"
    transaction.on_commit(lambda: tell_other_managers(person=user, actor=by, done=done))
