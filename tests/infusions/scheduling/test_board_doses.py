"""Records that run, as the board reads them: the same state, due thing and end as the chairside pages tell."""

import datetime as dt

import pytest

from infusion_center.core import clock
from infusions.checklists.hold_services import record_hold_step
from infusions.doses.models import DoseState
from infusions.doses.queries import visits_now
from infusions.doses.reaction_models import Reaction, ReactionKind
from infusions.scheduling.board_day import board_day, card_of
from infusions.scheduling.board_html import BoardHtml
from infusions.scheduling.board_late import late_until
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.factories.checklists import make_passed_checklist
from tests.factories.doses import VISIT_STATE, make_dose_record, make_rate
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY


def seated(center, state, number=0):
    return make_appointment(
        site=center.site, chair=center.chairs[number], nurse=center.nurses[number], day=DAY, at="09:00", state=state
    )


def as_told_chairside(visit, now) -> tuple:
    (stand,) = visits_now([Appointment.objects.with_people().get(pk=visit.pk)], now)
    card = card_of(stand, now)
    return card.state, card.due, card.alerts, card.percent, late_until(stand.appointment, stand.course, now)


def as_shown(center, visit, now) -> tuple:
    (card,) = [card for card in board_day(center.site, DAY, now).cards if card.visit.pk == visit.pk]
    return card.state, card.due, card.alerts, card.percent, card.late_until


@pytest.mark.parametrize("state", list(DoseState))
@pytest.mark.parametrize("at", ["09:50", "12:20", "15:00"])
def test_board_tells_of_a_record_what_the_chairside_page_tells(center, state, at):
    record = make_dose_record(seated(center, VISIT_STATE[state]), state=state)
    if state == DoseState.INFUSING:
        Reaction.objects.create(
            record=record,
            kind=ReactionKind.HEADACHE,
            grade=1,
            onset_at=center.at("09:45"),
            action="Watched",
            recorded_at=center.at("09:45"),
            recorded_by=center.nurses[0].user,
        )
    visit, now = record.appointment, center.at(at)
    assert as_shown(center, visit, now) == as_told_chairside(visit, now)


def test_board_asks_for_what_the_vital_signs_at_the_end_left_out(center):
    record = make_dose_record(seated(center, State.IN_PROGRESS), state=DoseState.OBSERVING)
    record.vital_signs.filter(phase="end").update(temperature_c=None)
    visit, now = record.appointment, record.ended_at
    shown = as_shown(center, visit, now)
    assert (shown, "Vital signs at the end" in str(shown)) == (as_told_chairside(visit, now), True)


def test_board_tells_of_a_checklist_what_the_chairside_page_tells(center):
    visit = seated(center, State.ARRIVED)
    make_passed_checklist(visit)
    now = center.at("09:10")
    assert as_shown(center, visit, now) == as_told_chairside(visit, now)


@pytest.mark.parametrize("steps", [["recheck"], ["recheck", "called", "fluids"], ["fluids", "sent_home"]])
def test_board_tells_when_a_check_that_did_not_pass_is_looked_at_again(center, steps):
    visit = seated(center, State.ARRIVED)
    make_passed_checklist(visit, now=center.at("09:02"), consent="no")
    run = make_passed_checklist(visit, now=center.at("09:05"), consent="no")
    for minute, kind in enumerate(steps):
        more = {"recheck": {"recheck_minutes": 15}, "fluids": {"amount_ml": 250}}.get(kind, {})
        record_hold_step(run=run, kind=kind, by=run.closed_by, now=center.at(f"09:1{minute}"), **more)
    now = center.at("09:41")
    assert as_shown(center, visit, now) == as_told_chairside(visit, now)


def test_an_infusion_that_runs_longer_than_planned_is_shown_with_its_end(center):
    """Its end is reckoned from the pump and the observation, not from the hour that was booked."""
    record = make_dose_record(seated(center, State.IN_PROGRESS), state=DoseState.INFUSING)
    visit, now = record.appointment, center.at("10:00")
    Appointment.objects.filter(pk=visit.pk).update(end=visit.start + dt.timedelta(hours=2))
    (stand,) = visits_now([Appointment.objects.with_people().get(pk=visit.pk)], now)
    expected = stand.course.projected_end(now) + dt.timedelta(minutes=visit.observation_minutes)
    (card,) = board_day(center.site, DAY, now).late
    assert (card.visit.pk, card.late_until) == (visit.pk, expected)
    assert clock.local_date(expected, center.site.time_zone) == DAY


def test_an_infusion_that_ends_earlier_than_planned_says_so_and_a_step_put_off_moves_it(center):
    """The visit was booked until 13:00; who stays half an hour longer at a step ends so much later."""
    record = make_dose_record(seated(center, State.IN_PROGRESS), state=DoseState.INFUSING)
    visit, now = record.appointment, center.at("09:50")
    board = board_day(center.site, DAY, now)
    (card,) = board.cards
    course = visits_now([Appointment.objects.with_people().get(pk=visit.pk)], now)[0].course
    assert card.ends_about == course.projected_end(now) + dt.timedelta(minutes=visit.observation_minutes)
    words = f"ends {clock.to_local(card.ends_about, center.site.time_zone):%H:%M}"
    assert (card.late_until, words in BoardHtml(board, may_move=False, may_check_in=False).chair_rows()) == (None, True)
    make_rate(record, "hold", center.at("09:45"), 21)
    (later,) = board_day(center.site, DAY, now).cards
    # A quarter of an hour at 21 mL/h gives what 336 mL/h need 56 seconds for.
    assert later.ends_about - card.ends_about == dt.timedelta(minutes=14, seconds=4)
