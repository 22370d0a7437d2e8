"""Several sealers at once, writers beside them, and events that are written late: each is chained once."""

import datetime as dt
from threading import Barrier, Event, Thread

import pytest
import time_machine
from django.db import connection, connections, transaction

from infusion_center.accounts.models import User
from infusion_center.audit import services
from infusion_center.audit.models import AuditEvent, AuditLink, ChainCheck
from infusion_center.audit.sealing import seal_pending, unsealed
from infusion_center.audit.watching import check_slice
from infusion_center.core import clock
from tests.audit.tampering import LINKS, tamper, verified
from tests.factories.accounts import make_staff

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
WRITERS, SEALERS, EVENTS = 2, 3, 25


@pytest.fixture
def user(db) -> User:
    return make_staff()


def at_once(*works) -> None:
    """Each in a thread and connection of its own; what went wrong in one fails the test."""
    barrier, failed = Barrier(len(works)), []

    def run(work):
        try:
            barrier.wait(timeout=30)
            work()
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failed == []


def test_sealers_and_writers_at_once_chain_each_event_once(user):
    def write():
        for _ in range(EVENTS):
            services.record("staff.invited", user, by=user)

    def seal():
        for _ in range(6):
            seal_pending(seconds=10)

    at_once(*[write] * WRITERS, *[seal] * SEALERS)
    seal_pending()
    events, links = set(AuditEvent.objects.values_list("pk", flat=True)), list(AuditLink.objects.all())
    assert len(events) == WRITERS * EVENTS
    assert {link.event_id for link in links} == events
    assert [link.position for link in links] == list(range(1, len(events) + 1))
    assert verified()[0]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite writes one transaction after the other")
def test_an_event_that_becomes_visible_late_is_chained_late(user):
    written, sealed = Event(), Event()

    def write_late():
        with transaction.atomic():
            services.record("staff.amended", user, by=user)  # takes the lower number
            written.set()
            assert sealed.wait(timeout=30)

    def write_and_seal():
        assert written.wait(timeout=30)
        services.record("staff.invited", user, by=user)
        seal_pending()
        sealed.set()

    at_once(write_late, write_and_seal)
    late, early = AuditEvent.objects.order_by("pk")
    assert list(AuditLink.objects.values_list("event_id", flat=True)) == [early.pk]
    seal_pending()
    assert list(AuditLink.objects.values_list("event_id", flat=True)) == [early.pk, late.pk]
    assert verified()[0]


def test_what_became_visible_after_ten_minutes_is_chained_by_the_thorough_run(user):
    with time_machine.travel(clock.now(), tick=False) as traveller:
        late = services.record("staff.amended", user, by=user)
        for _ in range(3):
            services.record("staff.invited", user, by=user)
        seal_pending()
        # As if its transaction had ended only now: no link names it yet, and a higher number was sealed long ago.
        tamper(f"UPDATE {LINKS} SET event_id = -1 WHERE event_id = {late.pk}")
        traveller.shift(dt.timedelta(minutes=11))
        assert (seal_pending(), list(unsealed())) == (0, [late])
        assert (seal_pending(thorough=True), list(unsealed())) == (1, [])


def test_the_daily_check_goes_on_where_its_last_slice_stopped(user, monkeypatch):
    monkeypatch.setattr("infusion_center.audit.verifying.BATCH", 4)
    for _ in range(10):
        services.record("staff.invited", user, by=user)
    reached = []
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for _ in range(4):
            check_slice(seconds=-1)
            reached.append((ChainCheck.objects.get().position, ChainCheck.objects.get().finished_at is not None))
        told = AuditEvent.objects.filter(action="audit.verified")
        assert [event.detail for event in told] == [{"links": 10, "findings": 0, "position": 10}]
        check_slice()
        assert told.all().count() == 1
        traveller.shift(dt.timedelta(hours=25))
        check_slice()
        assert told.all().count() == 2
    assert reached[:3] == [(4, False), (8, False), (10, False)]
    assert reached[3] == (10, True)
