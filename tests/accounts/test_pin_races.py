"""Many tries at once, each with a connection of its own: only five of them are looked at."""

import threading

import pytest
from django.db import connection

from infusion_center.accounts.models import TabletSignIn
from infusion_center.accounts.tablet_services import note_password, prove_pin
from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from tests.factories.accounts import PIN, make_pin, make_staff, make_tablet

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
TRIES = 16


def test_of_many_wrong_pins_at_once_five_are_looked_at():
    user = make_staff()
    tablet, now = make_tablet(by=user), clock.now()
    make_pin(user)
    note_password(tablet=tablet, user=user, now=now)
    start, codes = threading.Barrier(TRIES), []

    def guess():
        start.wait()
        try:
            prove_pin(tablet=tablet, user=user, pin="135791", purpose="unlocking", now=now)
        except RuleViolation as refused:
            codes.extend(refused.codes)
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _ in range(TRIES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["password-needed"] * (TRIES - 5) + ["wrong-pin"] * 5
    assert TabletSignIn.objects.get().wrong_pins == 5
    assert AuditEvent.objects.filter(action="tablet.pin_refused", detail__why="wrong").count() == 5
    with pytest.raises(RuleViolation):
        prove_pin(tablet=tablet, user=user, pin=PIN, purpose="unlocking", now=now)
