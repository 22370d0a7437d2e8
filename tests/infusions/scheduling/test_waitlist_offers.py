"""Offers by mail: who may get one, until when it stands, and that the first who accepts is booked, once."""

import datetime as dt

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.orders.services import hold_order
from infusions.scheduling import waitlist_offers, waitlist_services
from infusions.scheduling.booking import book_appointment
from infusions.scheduling.models import Appointment, Claim, OfferState, WaitlistOffer
from infusions.scheduling.states import State
from infusions.scheduling.waitlist_offers import (
    OfferedStart,
    accept_offer,
    decline_offer,
    expire_offers,
    lose_taken_offers,
    send_offers,
)
from patients.models import Channel
from patients.services import set_contact_consent
from tests.factories.accounts import make_staff
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.factories.waitlist import make_entry, make_offer
from tests.infusions.scheduling.conftest import DAY, NOW, make_center
from tests.infusions.scheduling.support import refusal

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def small():
    """Room for one visit at a time."""
    return make_center(chairs=1, nurses=1, offer_hours=4)


def waits(center, *, mail=True, order=None, **fields):
    order = order or make_order(infusion_minutes=180)
    entry = make_entry(order=order, site=center.site, by=center.scheduler, **{"notice_hours": 2, **fields})
    set_contact_consent(patient=entry.patient, channel=Channel.EMAIL, consents=mail, by=center.scheduler)
    return entry


def send(center, *entries, at="09:00", now=NOW):
    start = center.at(at)
    offered = [OfferedStart(entry, start, start + 4 * HOUR) for entry in entries]
    return send_offers(offered=offered, by=center.scheduler, now=now)


def states(*rows):
    for row in rows:
        row.refresh_from_db()
    return [row.state for row in rows]


def test_an_offer_stands_for_the_sites_hours_but_never_into_the_notice(small):
    near, far = waits(small), waits(small, notice_hours=24)
    first, second = send(small, near, far, now=small.at("09:00") - 26 * HOUR)
    assert first.expires_at == small.at("09:00") - 22 * HOUR
    assert second.expires_at == small.at("09:00") - 24 * HOUR
    assert AuditEvent.objects.filter(action="offer.made").count() == 2


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"mail": False}, "no-mail"), ({"notice_hours": 72}, "notice-too-short"), ({"state": "closed"}, "not-waiting")],
)
def test_one_who_cannot_be_asked_by_mail_stops_all_offers(small, fields, code):
    assert refusal(send, small, waits(small), waits(small, **fields)) == {code}
    assert not WaitlistOffer.objects.exists()


def test_the_same_start_is_offered_once_at_a_time(small):
    entry = waits(small)
    (offer,) = send(small, entry)
    assert refusal(send, small, entry) == {"already-offered"}
    assert refusal(send, small) == {"nobody-chosen"}
    assert [again.start for again in send(small, entry, now=offer.expires_at)] == [offer.start]
    assert states(offer) == [OfferState.EXPIRED]


def test_the_first_to_accept_is_booked_and_the_other_is_told_and_waits_on(small):
    entries = waits(small), waits(small)
    first, second = send(small, *entries)
    booked = accept_offer(offer=first, now=NOW)
    assert (booked.start, booked.order, booked.booked_by) == (first.start, entries[0].order, small.scheduler)
    assert states(first, second, *entries) == ["accepted", "lost", "booked", "waiting"]
    assert entries[0].appointment == booked
    with pytest.raises(RuleViolation) as refused:
        accept_offer(offer=second, now=NOW)
    assert refused.value.codes == {"offer-lost"}
    assert list(Appointment.objects.all()) == [booked]
    event = AuditEvent.objects.get(action="appointment.booked")
    assert (event.actor_id, event.actor_name) == (None, "Patient")


def test_who_presses_before_he_is_told_finds_out_by_pressing(small, monkeypatch):
    monkeypatch.setattr(waitlist_offers, "lose_taken_offers", lambda **_: 0)
    first, second = send(small, waits(small), waits(small))
    accept_offer(offer=first, now=NOW)
    assert states(second) == ["open"]
    with pytest.raises(RuleViolation) as refused:
        accept_offer(offer=second, now=NOW)
    assert refused.value.codes == {"offer-lost"}
    assert states(second, second.entry) == ["lost", "waiting"]


def test_accepted_twice_it_is_booked_once_and_answered_alike(small):
    (offer,) = send(small, waits(small))
    assert accept_offer(offer=offer, now=NOW) == accept_offer(offer=WaitlistOffer.objects.get(), now=NOW)
    assert Appointment.objects.count() == 1


def test_accepting_moves_the_visit_that_was_to_come_earlier(small):
    order = make_order(infusion_minutes=180)
    visit = make_appointment(
        order=order, site=small.site, chair=small.chairs[0], day=DAY + dt.timedelta(7), state=State.CONFIRMED
    )
    entry = waits(small, order=order, instead_of=visit)
    (offer,) = send(small, entry)
    booked = accept_offer(offer=offer, now=NOW)
    assert (booked, booked.start, booked.state, booked.version) == (visit, offer.start, State.EXPECTED, 2)
    assert Appointment.objects.count() == 1
    assert states(offer, entry) == ["accepted", "booked"]


def test_other_open_offers_of_who_accepted_are_withdrawn(small):
    entry = waits(small)
    (first,), (second,) = send(small, entry), send(small, entry, at="13:00")
    accept_offer(offer=second, now=NOW)
    assert states(first, second) == ["withdrawn", "accepted"]


@pytest.mark.parametrize("state", [OfferState.DECLINED, OfferState.LOST, OfferState.EXPIRED, OfferState.WITHDRAWN])
def test_what_is_settled_cannot_be_accepted(small, state):
    offer = make_offer(entry=waits(small), start=small.at("09:00"), state=state)
    assert refusal(accept_offer, offer=offer, now=NOW) == {f"offer-{state.value}"}


def test_after_its_time_an_offer_cannot_be_accepted_even_before_the_sweep(small):
    (offer,) = send(small, waits(small))
    assert refusal(accept_offer, offer=offer, now=offer.expires_at) == {"offer-expired"}
    assert expire_offers(now=offer.expires_at) == 1
    assert states(offer, offer.entry) == ["expired", "waiting"]


def test_a_patient_may_approve_nothing(small):
    """Meanwhile a dose was noted: the start is too early now, which only a clinician may decide."""
    entry = waits(small)
    (offer,) = send(small, entry)
    entry.order.last_dose_on, entry.order.doses_given = NOW.date(), 1
    entry.order.save()
    with pytest.raises(RuleViolation) as refused:
        accept_offer(offer=offer, now=NOW)
    assert refused.value.codes == {"offer-withdrawn"}
    assert states(offer, entry) == ["withdrawn", "waiting"]
    assert not Appointment.objects.exists()


def test_an_order_on_hold_is_not_called_somebody_faster(small):
    entry = waits(small)
    (offer,) = send(small, entry)
    hold_order(order=entry.order, reason="Reaction", by=make_staff(role="pharmacist", site=small.site))
    with pytest.raises(RuleViolation):
        accept_offer(offer=offer, now=NOW)
    assert states(offer) == ["withdrawn"]


def test_declining_keeps_the_place_on_the_list(small):
    entry = waits(small)
    (offer,) = send(small, entry)
    decline_offer(offer=offer, now=NOW)
    decline_offer(offer=offer, now=NOW)
    assert states(offer, entry) == ["declined", "waiting"]
    event = AuditEvent.objects.get(action="offer.declined")
    assert event.actor_name == "Patient"
    assert refusal(accept_offer, offer=offer, now=NOW) == {"offer-declined"}


def test_a_start_that_the_desk_gave_away_is_lost_for_all_who_were_offered_it(small):
    offers = send(small, waits(small), waits(small))
    order = make_order(infusion_minutes=180)
    book_appointment(order=order, start=small.at("09:00"), setting="facility", site=small.site, by=small.scheduler)
    assert lose_taken_offers(now=NOW) == 2
    assert states(*offers) == ["lost", "lost"]


def test_a_fault_in_the_middle_of_accepting_leaves_nothing_half_done(small, monkeypatch):
    entry = waits(small)
    (offer,) = send(small, entry)

    def fail(**_):
        raise OSError("the power went")

    monkeypatch.setattr(waitlist_services, "withdraw_offers", fail)
    with pytest.raises(OSError, match="power"):
        accept_offer(offer=offer, now=NOW)
    assert states(offer, entry) == ["open", "waiting"]
    assert not Appointment.objects.exists()
    assert not Claim.objects.exists()
