"""Sixteen real processes press their links at once: one freed start, one patient booked, nothing half-written."""

import datetime as dt
import os
import signal
from collections import Counter

import pytest

from infusions.facility.models import Chair
from infusions.scheduling.models import Appointment, Claim, OfferState, WaitlistEntry, WaitlistOffer
from infusions.scheduling.waitlist_offers import accept_offer
from tests.factories.scheduling import make_appointment
from tests.factories.waitlist import make_entry, make_offer
from tests.infusions.scheduling.conftest import DAY, NOW, make_center
from tests.infusions.scheduling.test_races import PROCESSES, _pid_in, assert_lawful, daily_orders, run_job, start_job

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _frozen_clock():
    """The real clock: other processes have no other. They are told what to take for now."""


def offered(center, orders, **fields) -> list[WaitlistOffer]:
    start = center.at("09:00")
    entries = [
        make_entry(
            order=order, site=center.site, by=center.scheduler, first_on=start.date(), last_on=start.date(), **fields
        )
        for order in orders
    ]
    return [make_offer(entry=entry, start=start) for entry in entries]


def job_of(offers, **more) -> dict:
    return {"offers": [offer.pk for offer in offers], "now": NOW.isoformat(), **more}


def states(model) -> Counter:
    return Counter(model.objects.values_list("state", flat=True))


def test_of_sixteen_who_accept_the_same_freed_start_one_is_booked_and_the_others_wait_on():
    center = make_center(chairs=1, nurses=4)
    offers = offered(center, daily_orders(PROCESSES))
    booked, refused = run_job(kind="accept", **job_of(offers))
    assert len(booked) == 1
    assert refused == {"offer-lost": PROCESSES - 1}
    assert states(WaitlistOffer) == {"accepted": 1, "lost": PROCESSES - 1}
    assert states(WaitlistEntry) == {"booked": 1, "waiting": PROCESSES - 1}
    assert WaitlistEntry.objects.get(state="booked").appointment_id == booked[0]
    assert_lawful()


def test_one_link_pressed_sixteen_times_at_once_books_once_and_is_always_answered_yes():
    center = make_center(chairs=4, nurses=4)
    booked, refused = run_job(kind="accept", **job_of(offered(center, daily_orders(1))))
    assert (len(booked), len(set(booked)), refused) == (PROCESSES, 1, {})
    assert states(WaitlistOffer) == {"accepted": 1}
    assert_lawful()


def test_a_process_killed_while_accepting_leaves_nothing_and_the_offer_can_still_be_taken(tmp_path):
    center = make_center(chairs=1, nurses=1)
    (offer,) = offered(center, daily_orders(1))
    flag = tmp_path / "hanging"
    worker = start_job(kind="hang_while_accepting", processes=1, **job_of([offer], flag=str(flag)))
    try:
        os.kill(_pid_in(flag), signal.SIGKILL)
    finally:
        worker.wait(timeout=30)
    # Waits for the database to notice that the other is gone, if it has not yet.
    booked = accept_offer(offer=WaitlistOffer.objects.get(), now=NOW)
    assert list(Appointment.objects.all()) == [booked]
    assert set(Claim.objects.values_list("appointment_id", flat=True)) == {booked.pk}
    assert states(WaitlistOffer) == {OfferState.ACCEPTED: 1}
    assert_lawful()


def test_of_sixteen_whose_visit_would_come_earlier_one_moves_and_the_others_keep_theirs():
    center = make_center(chairs=PROCESSES, nurses=4)
    orders = daily_orders(PROCESSES)
    offers = offered(center, orders)
    friday = center.at("09:00", DAY + dt.timedelta(days=3))
    for offer, chair in zip(offers, center.chairs, strict=True):
        offer.entry.instead_of = make_appointment(order=offer.entry.order, chair=chair, start=friday, minutes=180)
        offer.entry.save()
    Chair.objects.exclude(pk=center.chairs[0].pk).update(is_active=False)
    booked, refused = run_job(kind="accept", **job_of(offers))
    assert (len(booked), refused) == (1, {"offer-lost": PROCESSES - 1})
    assert Counter(Appointment.objects.values_list("start", flat=True)) == {offers[0].start: 1, friday: PROCESSES - 1}
    assert Appointment.objects.get(start=offers[0].start).pk == booked[0]
