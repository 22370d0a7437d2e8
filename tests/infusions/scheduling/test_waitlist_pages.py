"""The desk's pages of the waitlist: add, change, close, see who fits a freed time, book or ask."""

import datetime as dt

import pytest
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusions.orders.services import hold_order
from infusions.scheduling.booking import cancel_appointment
from infusions.scheduling.models import Appointment, OfferState, WaitlistEntry, WaitlistOffer, WaitlistState
from patients.models import Channel
from patients.services import set_contact_consent
from tests.factories.accounts import make_staff
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.factories.waitlist import make_entry, make_offer
from tests.infusions.scheduling.conftest import DAY, NOW, make_center, signed_in
from tests.infusions.scheduling.support import errors, everything_written, url

pytestmark = pytest.mark.django_db
WEEK = dt.timedelta(days=7)


def waits(center, *, mail=True, **fields):
    order = make_order(patient=make_patient(phone="+12125550142"), infusion_minutes=180)
    entry = make_entry(order=order, site=center.site, by=center.scheduler, notice_hours=2, **fields)
    set_contact_consent(patient=entry.patient, channel=Channel.EMAIL, consents=mail, by=center.scheduler)
    return entry


@pytest.fixture
def freed(center):
    """A visit of Wednesday morning, cancelled."""
    visit = make_appointment(site=center.site, chair=center.chairs[0], nurse=center.nurses[0], day=DAY)
    return cancel_appointment(appointment=visit, reason="Ill", by=center.scheduler)


def sent(center, **changes) -> dict:
    values = {
        "setting": "facility",
        "site": center.site.public_id,
        "first_on": DAY.isoformat(),
        "last_on": (DAY + WEEK).isoformat(),
        "notice_hours": "24",
        "weekdays": ["1", "3"],
        "earliest": "09:00",
    }
    return {**values, **changes}


def body(response) -> str:
    return response.content.decode()


def test_an_order_is_put_on_the_list_with_what_was_typed(center, desk):
    order = make_order(infusion_minutes=180)
    assert desk.get(url("waitlist-add", order)).status_code == 200
    response = desk.post(url("waitlist-add", order), sent(center), follow=True)
    entry = WaitlistEntry.objects.get()
    assert (entry.order, entry.site, entry.first_on, entry.weekdays, entry.earliest, entry.created_by) == (
        order,
        center.site,
        DAY,
        [1, 3],
        dt.time(9),
        center.scheduler,
    )
    assert response.redirect_chain == [(reverse("scheduling:waitlist"), 302)]
    assert order.patient.name in body(response)


def test_the_form_suggests_the_next_visit_to_come_earlier_and_days_that_keep_the_interval(center, desk):
    order = make_order(infusion_minutes=180, last_dose_on=DAY - dt.timedelta(days=20), doses_given=1)
    visit = make_appointment(order=order, site=center.site, day=DAY + 2 * WEEK)
    make_appointment(order=order, site=center.site, day=DAY + 6 * WEEK)
    form = desk.get(url("waitlist-add", order)).context["form"]
    assert (form.initial["instead_of"], form.initial["first_on"], form.initial["last_on"]) == (
        visit.public_id,
        DAY + dt.timedelta(days=4),  # 28 days less the tolerance of 4 after the last dose
        DAY + dt.timedelta(days=12),
    )


def test_an_order_that_waits_already_leads_to_its_entry(center, desk):
    entry = waits(center)
    assert desk.get(url("waitlist-add", entry.order)).url == url("waitlist-entry", entry)


def test_a_refused_entry_keeps_what_was_typed_and_says_why(center, desk):
    order = make_order(infusion_minutes=180)
    before = everything_written()
    response = desk.post(url("waitlist-add", order), sent(center, last_on="2026-02-01", note="Calls at noon"))
    assert "The last day is before the first. Correct one of them." in errors(response)
    assert "Calls at noon" in body(response)
    assert everything_written() == before


def test_the_second_of_two_who_change_an_entry_is_told_what_the_first_changed(center, desk):
    entry = waits(center)
    form = {**sent(center), "version": "1"}
    assert desk.post(url("waitlist-entry", entry), form).status_code == 302
    before = everything_written()
    refused = desk.post(url("waitlist-entry", entry), {**form, "notice_hours": "72"})
    (error,) = errors(refused)
    assert center.scheduler.full_name in error
    assert "first on, last on" in error or "weekdays" in error
    assert everything_written() == before


def test_an_entry_is_closed_with_a_reason(center, desk):
    entry = waits(center)
    assert desk.post(url("waitlist-close", entry), {"version": "1", "reason": ""}).status_code == 200
    desk.post(url("waitlist-close", entry), {"version": "1", "reason": "Booked elsewhere"})
    entry.refresh_from_db()
    assert (entry.state, entry.close_reason) == (WaitlistState.CLOSED, "Booked elsewhere")


def test_the_list_shows_each_state_by_itself(center, desk):
    waiting, asked, over = waits(center), waits(center), waits(center, first_on=DAY - WEEK, last_on=DAY - WEEK)
    make_offer(entry=asked, start=center.at("09:00"))
    booked = waits(center, state=WaitlistState.BOOKED, appointment=make_appointment(site=center.site))
    closed = waits(center, state=WaitlistState.CLOSED, close_reason="Gone")
    expected = {"waiting": [waiting, asked], "asked": [asked], "over": [over], "booked": [booked], "closed": [closed]}
    for state, entries in expected.items():
        page = desk.get(reverse("scheduling:waitlist") + f"?state={state}").context["page"]
        assert list(page) == entries


def test_an_entry_that_was_overtaken_by_events_says_so(center, desk):
    held, doubled = waits(center), waits(center)
    hold_order(order=held.order, reason="Reaction", by=make_staff(role="pharmacist", site=center.site))
    make_appointment(order=doubled.order, site=center.site, day=DAY + WEEK)
    Appointment.objects.update(created_at=NOW + dt.timedelta(hours=1))
    page = body(desk.get(reverse("scheduling:waitlist")))
    assert "order on hold" in page
    assert page.count("booked since: still waiting?") == 1


def test_freed_hours_that_somebody_waits_for_are_on_top_of_the_list(center, desk, freed):
    waits(center)
    page = desk.get(reverse("scheduling:waitlist"))
    ((slot, number),) = page.context["freed"]
    assert (slot.visit, number) == (freed, 1)
    assert url("slot-freed", freed) in body(page)


def test_cancelling_or_moving_leads_on_to_who_waits_for_the_hours(center, desk):
    visits = [
        make_appointment(site=center.site, chair=center.chairs[0], day=DAY, at=at, minutes=120)
        for at in ("09:00", "13:00")
    ]
    first = desk.post(url("appointment-cancel", visits[0]), {"version": "1", "reason": "Ill"})
    assert first.url == url("appointment-detail", visits[0])
    waits(center)
    moved = desk.post(
        url("appointment-move", visits[1]),
        {
            "start": center.at("08:00", DAY + dt.timedelta(1)).isoformat(timespec="seconds").replace("+00:00", "+0000"),
            "version": "1",
        },
    )
    assert moved.url == url("slot-freed", visits[1])


def test_the_best_match_is_booked_with_one_press(center, desk, freed):
    entry = waits(center)
    page = desk.get(url("slot-freed", freed))
    (match,) = page.context["matches"]
    response = desk.post(url("waitlist-book", entry), {"start": match.instant, "freed": freed.public_id})
    visit = Appointment.objects.exclude(pk=freed.pk).get()
    assert response.url == url("appointment-detail", visit)
    assert (visit.order, visit.start) == (entry.order, center.at("09:00"))
    entry.refresh_from_db()
    assert entry.appointment == visit


def test_a_match_that_was_lost_meanwhile_is_told_where_the_others_are(center, desk, freed):
    entry = waits(center)
    for chair, nurse in zip(center.chairs, center.nurses, strict=True):
        make_appointment(site=center.site, chair=chair, nurse=nurse, day=DAY)
    before = everything_written()
    sent_start = {"start": center.at("09:00").isoformat(), "freed": freed.public_id}
    response = desk.post(url("waitlist-book", entry), sent_start)
    assert response.url == url("slot-freed", freed)
    assert everything_written() == before
    assert "chair" in body(desk.get(response.url))


def test_the_chosen_are_asked_by_mail_and_those_without_mail_are_there_to_be_called(center, desk, freed):
    mailed, other, silent = waits(center), waits(center), waits(center, mail=False)
    page = body(desk.get(url("slot-freed", freed)))
    assert "tel:+12125550142" in page
    assert f'value="{silent.public_id}"' not in page
    response = desk.post(url("slot-offer", freed), {"entry": [mailed.public_id]}, follow=True)
    offer = WaitlistOffer.objects.get()
    assert (offer.entry, offer.start, offer.state, offer.offered_by) == (
        mailed,
        center.at("09:00"),
        OfferState.OPEN,
        center.scheduler,
    )
    assert "1 offer will be sent within a minute." in body(response)
    assert f'value="{mailed.public_id}"' not in body(response)
    assert f'value="{other.public_id}"' in body(response)
    assert AuditEvent.objects.filter(action="offer.made").count() == 1


@pytest.mark.parametrize("chosen", [[], ["zzzzzzzzzzzzzz"]])
def test_nobody_chosen_offers_nothing(center, desk, freed, chosen):
    waits(center)
    before = everything_written()
    desk.post(url("slot-offer", freed), {"entry": chosen})
    assert everything_written()[3:] == before[3:]


def test_what_another_site_has_is_not_there(center, desk, freed):
    """Hidden, not forbidden: neither the entry, nor the freed visit, nor booking from it."""
    theirs = make_center()
    entry = waits(theirs)
    visit = make_appointment(site=theirs.site, chair=theirs.chairs[0], nurse=theirs.nurses[0], day=DAY)
    cancel_appointment(appointment=visit, reason="Ill", by=theirs.scheduler)
    before = everything_written()
    start = {"start": theirs.at("09:00").isoformat()}
    answers = [
        desk.get(url("waitlist-entry", entry)),
        desk.post(url("waitlist-entry", entry), {**sent(theirs), "version": "1"}),
        desk.post(url("waitlist-close", entry), {"version": "1", "reason": "Theirs"}),
        desk.post(url("waitlist-book", entry), start),
        desk.get(url("slot-freed", visit)),
        desk.post(url("slot-offer", visit), {"entry": [entry.public_id]}),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert everything_written() == before
    assert entry.patient.name not in body(desk.get(reverse("scheduling:waitlist")))
    assert "Select a valid choice" in " ".join(errors(desk.post(url("waitlist-add", entry.order), sent(theirs))))


def test_who_only_looks_at_the_schedule_sees_the_list_and_changes_nothing(center, freed):
    entry = waits(center)
    pharmacist = signed_in(make_staff(role="pharmacist", site=center.site))
    page = body(pharmacist.get(reverse("scheduling:waitlist")))
    assert entry.patient.name in page
    assert url("waitlist-entry", entry) not in page
    assert pharmacist.post(url("waitlist-close", entry), {"reason": "x"}).status_code == 403
