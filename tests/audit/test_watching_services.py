"""The daily check trusts nothing that whoever owns the database may have written beside the trail."""

import datetime as dt

import pytest
import time_machine

from infusion_center.audit import services
from infusion_center.audit.models import AuditEvent, ChainCheck
from infusion_center.audit.watching import chain_state, check_slice
from infusion_center.core import clock
from tests.audit.tampering import EVENTS, tamper
from tests.factories.accounts import make_staff

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def changed(db) -> list[AuditEvent]:
    """Five events, all checked, of which the second was changed afterwards."""
    user = make_staff()
    with time_machine.travel(clock.now() - 2 * DAY):
        events = [services.record("staff.invited", user, by=user) for _ in range(5)]
        check_slice()
    tamper(f"UPDATE {EVENTS} SET actor_name = 'x' WHERE id = {events[1].pk}")
    return events


def outcomes() -> list[tuple]:
    events = AuditEvent.objects.filter(action__startswith="audit.").order_by("pk")
    return [(event.action, event.detail["findings"]) for event in events]


FOUND = [("audit.verified", 0), ("audit.verification_failed", 1)]


def test_a_day_later_the_change_is_found(changed):
    check_slice()
    assert outcomes() == FOUND


@pytest.mark.parametrize(
    "claimed",
    [
        {"started_at": dt.datetime(2999, 1, 1, tzinfo=dt.UTC)},
        {"started_at": clock.now(), "finished_at": clock.now()},
        {"finished_at": None},
        {"finished_at": None, "state": {"position": 5, "digest": "0" * 64}},
    ],
    ids=["begun in the future", "begun just now", "not finished", "past the change"],
)
def test_a_state_that_this_application_did_not_write_is_begun_anew(changed, claimed):
    ChainCheck.objects.update(**claimed)
    check_slice()
    assert outcomes() == FOUND


def test_a_check_begun_by_a_clock_that_was_ahead_is_old(changed):
    with time_machine.travel(clock.now() + 30 * DAY):
        ChainCheck.objects.all().delete()
        check_slice()
    check_slice()
    assert outcomes() == [*FOUND, FOUND[1]]


def test_what_the_page_says_is_of_the_last_outcome_that_this_application_wrote(changed):
    check_slice()
    kept = "action, actor_name, target_type, target_id, target_name, patient_id, site_id, path, device"
    tamper(
        f"INSERT INTO {EVENTS} (id, at, detail, mac, {kept}) "
        f"SELECT id + 1000, '2999-01-01 00:00:00+00:00', detail, '1-{'a' * 16}-{'b' * 64}', {kept} "
        f"FROM {EVENTS} WHERE action = 'audit.verified'"
    )
    assert (chain_state().findings, [problem.code for problem in chain_state().problems]) == (1, ["audit-changed"])
