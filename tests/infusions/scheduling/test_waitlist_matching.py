"""Freed hours, and who of the waitlist really fits them: each condition by itself, then the order of the rest."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from infusions.facility.models import ChairKind, Setting
from infusions.orders.models import OrderStatus
from infusions.scheduling.booking import cancel_appointment, move_appointment
from infusions.scheduling.models import BookingPreference
from infusions.scheduling.waitlist_matching import matches_for, starts_still_free
from infusions.scheduling.waitlist_queries import freed_by, freed_slots, match_count, still_free
from patients.models import Channel
from patients.services import set_contact_consent
from tests.factories.facility import make_chair
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.factories.waitlist import make_entry, make_offer
from tests.infusions.scheduling.conftest import DAY, NOW, make_center

pytestmark = pytest.mark.django_db
# 30 minutes before and 30 after, as the site plans: a visit of four hours.
MINUTES = 180


@pytest.fixture
def full():
    """One chair and one nurse, 09:00 to 13:00 just cancelled on a day that is otherwise booked."""
    center = make_center(chairs=1, nurses=1, observation_minutes=30, preparation_minutes=30)
    common = {"site": center.site, "chair": center.chairs[0], "nurse": center.nurses[0], "day": DAY}
    center.before = make_appointment(**common, at="08:00", minutes=60)
    center.after = make_appointment(**common, at="13:00", minutes=300)
    visit = make_appointment(**common, at="09:00", minutes=240)
    center.visit = cancel_appointment(appointment=visit, reason="Ill", by=center.scheduler)
    return center


def waits(center, *, order_fields=None, **fields):
    order = make_order(**{"infusion_minutes": MINUTES, **(order_fields or {})})
    return make_entry(order=order, site=center.site, by=center.scheduler, **fields)


def matched(center):
    return [match.entry for match in matches_for(freed_by(center.visit, NOW), NOW)]


def test_a_cancelled_visit_frees_its_hours_until_somebody_takes_its_chair(full):
    (slot,) = freed_slots(full.site, NOW)
    assert (slot.visit, slot.start, slot.end, slot.was_moved) == (full.visit, full.at("09:00"), full.at("13:00"), False)
    make_appointment(site=full.site, chair=full.chairs[0], nurse=full.nurses[0], day=DAY, at="09:30", minutes=180)
    assert freed_slots(full.site, NOW) == []


def test_a_moved_visit_frees_the_hours_that_it_left(center):
    visit = make_appointment(site=center.site, chair=center.chairs[0], nurse=center.nurses[0], day=DAY)
    move_appointment(appointment=visit, start=center.at("09:00", DAY + dt.timedelta(days=1)), by=center.scheduler)
    (slot,) = freed_slots(center.site, NOW)
    assert (slot.visit, slot.start, slot.end, slot.was_moved, slot.chair_id) == (
        visit,
        center.at("09:00"),
        center.at("13:00"),
        True,
        center.chairs[0].pk,
    )


def test_of_hours_that_were_taken_in_part_the_longest_free_while_is_left(full):
    common = {"site": full.site, "chair": full.chairs[0], "nurse": full.nurses[0], "day": DAY}
    make_appointment(**common, at="10:30", minutes=60)
    (slot,) = freed_slots(full.site, NOW)
    assert (slot.start, slot.end) == (full.at("09:00"), full.at("10:30"))
    assert still_free(freed_by(full.visit, NOW)) == slot


def test_a_visit_moved_by_an_hour_leaves_an_hour(center):
    visit = make_appointment(site=center.site, chair=center.chairs[0], nurse=center.nurses[0], day=DAY)
    move_appointment(appointment=visit, start=center.at("10:00"), by=center.scheduler, chair=center.chairs[0])
    (slot,) = freed_slots(center.site, NOW)
    assert (slot.start, slot.end) == (center.at("09:00"), center.at("10:00"))


def test_past_and_far_away_hours_are_not_offered(full):
    assert freed_slots(full.site, full.at("09:00")) == []
    assert freed_by(full.visit, full.at("09:00")) is None
    assert freed_slots(full.site, NOW - dt.timedelta(days=40)) == []


def test_whoever_fits_gets_the_start_that_fills_the_hole_and_is_told_why(full):
    entry = waits(full)
    (match,) = matches_for(freed_by(full.visit, NOW), NOW)
    assert (match.entry, match.start, match.end, match.fills) == (entry, full.at("09:00"), full.at("13:00"), 100)
    assert match.why == ("1 day after due", "fills all of it", "waits since today")


@pytest.mark.parametrize(
    ("order_fields", "fields"),
    [
        ({"infusion_minutes": 240}, {}),  # five hours do not fit into four
        ({"last_dose_on": DAY - dt.timedelta(days=20), "doses_given": 1}, {}),  # too early by the interval
        ({"visits_authorized": 1, "doses_given": 1}, {}),
        ({"status": OrderStatus.HELD}, {}),
        ({"status": OrderStatus.STOPPED}, {}),
        ({}, {"first_on": DAY + dt.timedelta(days=1)}),
        ({}, {"last_on": DAY - dt.timedelta(days=1)}),
        ({}, {"weekdays": [0, 2, 3]}),
        ({}, {"earliest": dt.time(9, 15)}),
        ({}, {"latest": dt.time(8, 45)}),
        ({}, {"notice_hours": 48}),
        ({}, {"setting": Setting.HOME}),
    ],
)
def test_who_cannot_come_is_not_listed(full, order_fields, fields):
    fields = {"first_on": NOW.date(), **fields}
    if fields["first_on"] > fields.get("last_on", DAY + dt.timedelta(days=9)):
        fields["first_on"] = fields["last_on"]
    waits(full, order_fields=order_fields, **fields)
    assert matched(full) == []


def test_a_patient_who_is_elsewhere_at_that_hour_is_not_listed(full):
    entry = waits(full, order_fields={"interval_days": 1, "tolerance_days": 0})
    make_appointment(order=make_order(patient=entry.patient), day=DAY, at="12:00")
    assert matched(full) == []


def test_a_weight_that_changed_too_much_keeps_from_being_listed(full):
    entry = waits(full)
    kg = entry.order.actual_weight_kg * 2
    entry.patient.weights.create(kg=kg, measured_on=NOW.date(), recorded_at=NOW, recorded_by=full.scheduler)
    assert matched(full) == []


def test_a_needed_kind_of_chair_binds(full):
    entry = waits(full)
    BookingPreference.objects.create(patient=entry.patient, chair_kind=ChairKind.BED, needs_chair_kind=True)
    assert matched(full) == []
    full.chairs[0].kind = ChairKind.BED
    full.chairs[0].save()
    assert matched(full) == [entry]


def test_the_visit_that_would_move_does_not_stand_in_its_own_way(full):
    make_chair(site=full.site)
    order = make_order(infusion_minutes=MINUTES)
    visit = make_appointment(order=order, site=full.site, nurse=full.nurses[0], day=DAY, at="11:00")
    entry = make_entry(order=order, site=full.site, by=full.scheduler, instead_of=visit)
    (match,) = matches_for(freed_by(full.visit, NOW), NOW)
    assert (match.entry, match.start) == (entry, full.at("09:00"))
    assert "comes earlier the same day" in match.why


def test_the_due_day_follows_from_what_lies_before_not_from_visits_booked_later(full):
    order = make_order(infusion_minutes=MINUTES, last_dose_on=DAY - dt.timedelta(days=28), doses_given=1)
    visits = [make_appointment(order=order, site=full.site, day=DAY + dt.timedelta(days=n)) for n in (3, 31)]
    make_entry(order=order, site=full.site, by=full.scheduler, instead_of=visits[0])
    (match,) = matches_for(freed_by(full.visit, NOW), NOW)
    assert match.why[:2] == ("on the due day", "comes 3 days earlier")


def test_nothing_later_is_offered_to_who_wants_to_come_earlier(full):
    order = make_order(infusion_minutes=MINUTES)
    visit = make_appointment(order=order, site=full.site, start=NOW + dt.timedelta(hours=1), minutes=60)
    make_entry(order=order, site=full.site, by=full.scheduler, instead_of=visit)
    assert matched(full) == []


def test_due_day_hole_mail_and_wait_rank_in_this_order(full):
    def one(days_before, **fields):
        return waits(
            full, order_fields={"last_dose_on": DAY - dt.timedelta(days=days_before), "doses_given": 1}, **fields
        )

    late = one(30)
    short = waits(full, order_fields={"infusion_minutes": 60, "last_dose_on": DAY - dt.timedelta(28), "doses_given": 1})
    first, mailed, second = one(28), one(28), one(28)
    for entry, wanted in ((late, True), (short, True), (mailed, True), (first, False), (second, False)):
        set_contact_consent(patient=entry.patient, channel=Channel.EMAIL, consents=wanted, by=full.scheduler)
    assert matched(full) == [mailed, first, second, short, late]


def test_many_who_wait_cost_no_more_queries_than_one(full):
    slot = freed_by(full.visit, NOW)
    waits(full)
    with CaptureQueriesContext(
        connection,
    ) as one:
        assert len(matches_for(slot, NOW)) == 1
    for _ in range(8):
        waits(full)
    with CaptureQueriesContext(connection) as nine:
        assert len(matches_for(slot, NOW)) == 9
    assert len(one) == len(nine) <= 13


def test_the_menus_count_is_of_freed_hours_that_somebody_waits_for(full):
    assert match_count(full.site, NOW) == 0
    waits(full, weekdays=[DAY.weekday()])
    waits(full, weekdays=[(DAY.weekday() + 1) % 7])
    waits(make_center())
    with CaptureQueriesContext(connection) as read:
        assert match_count(full.site, NOW) == 1
    assert len(read) <= 6


def test_an_offered_start_is_free_until_somebody_is_booked_there(full):
    offers = [make_offer(entry=waits(full), start=full.at("09:00")) for _ in range(2)]
    assert starts_still_free(offers, NOW) == {offer.pk for offer in offers}
    make_appointment(
        order=make_order(patient=make_patient()),
        site=full.site,
        chair=full.chairs[0],
        nurse=full.nurses[0],
        day=DAY,
    )
    assert starts_still_free(offers, NOW) == set()
