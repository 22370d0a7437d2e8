import datetime as dt

from infusions.checklists.hold_services import record_hold_step
from infusions.doses import queries
from infusions.doses.due import DueKind
from infusions.doses.models import DoseState
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.factories.checklists import make_open_checklist, make_passed_checklist
from tests.factories.doses import make_dose_record
from tests.factories.facility import make_nurse, make_site
from tests.factories.orders import make_order
from tests.infusions.doses.conftest import NOON, at


def standing(visit, now=NOON) -> tuple:
    [one] = queries.visits_now(Appointment.objects.with_people().filter(pk=visit.pk), now)
    return (one.state, one.due and (one.due.kind, one.due.what))


def test_visits_now_follows_a_patient_from_the_door_to_the_signature(make_visit):
    visit = make_visit(state=State.CONFIRMED, order=make_order())
    assert standing(visit) == ("confirmed", (DueKind.ARRIVAL, "Arrives"))
    Appointment.objects.update(state=State.ARRIVED, arrived_at=NOON)
    assert standing(visit) == ("arrived", (DueKind.CHECKLIST, "Checklist"))
    visit.refresh_from_db()
    make_open_checklist(visit)
    assert standing(visit) == ("checklist", (DueKind.CHECKLIST, "Checklist"))
    make_passed_checklist(visit)
    assert standing(visit) == ("preparing", (DueKind.START, "Prepare the vials"))
    record = make_dose_record(visit, state=DoseState.PREPARING)
    assert standing(visit) == ("preparing", (DueKind.START, "Start infusion"))
    record.state, record.started_at, record.started_by = DoseState.PAUSED, NOON, visit.nurse.user
    record.rates.create(kind="pause", at=at(0), rate_ml_per_h=0, recorded_at=NOON, recorded_by=visit.nurse.user)
    record.save()
    assert standing(visit) == ("paused", (DueKind.RESUME, "Resume or stop"))


def test_visits_now_says_that_a_checklist_did_not_pass(make_visit):
    visit = make_visit(order=make_order())
    make_passed_checklist(visit, room_temperature="no")
    assert standing(visit) == ("checklist", (DueKind.CHECKLIST, "Checklist did not pass"))


def test_due_for_costs_the_same_for_one_visit_and_for_five(make_visit, django_assert_num_queries):
    visits = [make_visit(order=make_order(), state=State.IN_PROGRESS) for _ in range(5)]
    for visit in visits:
        make_dose_record(visit)
    everybody = list(Appointment.objects.with_people())
    for some in (everybody[:1], everybody):
        with django_assert_num_queries(9):
            assert len(queries.due_for(some, at(40))) == len(some)


def test_by_urgency_puts_overdue_first_and_the_finished_last(make_visit):
    done = make_dose_record(make_visit(order=make_order(), state=State.COMPLETED), state=DoseState.SIGNED)
    coming = make_visit(order=make_order(), state=State.CONFIRMED, start=at(60))
    running = make_dose_record(make_visit(order=make_order(), state=State.IN_PROGRESS))
    now = at(52)  # vital signs were due at minute 45, with 5 minutes of grace
    ordered = queries.by_urgency(queries.visits_now(Appointment.objects.with_people(), now))
    assert [one.appointment for one in ordered] == [running.appointment, coming, done.appointment]


def test_visits_of_day_takes_today_and_what_still_runs_since_yesterday(make_visit, nurse_user, site):
    yesterday = NOON - dt.timedelta(days=1)
    today = make_visit(state=State.CONFIRMED)
    overnight = make_visit(state=State.IN_PROGRESS, start=yesterday)
    make_visit(state=State.CONFIRMED, start=yesterday)
    make_visit(state=State.CANCELLED)
    make_visit(state=State.CONFIRMED, start=NOON + dt.timedelta(days=1))
    make_visit(state=State.CONFIRMED, site=make_site())
    assert queries.visits_of_day(nurse_user, site, NOON) == [overnight, today]
    assert queries.visits_of_day(nurse_user, site, NOON, nurse_user=nurse_user) == []


def test_a_check_that_did_not_pass_calls_the_nurse_back_at_the_time_set(make_visit):
    visit = make_visit()
    run = make_passed_checklist(visit, consent="no", now=at(0))
    record_hold_step(run=run, kind="recheck", recheck_minutes=30, by=visit.nurse.user, now=at(5))

    def seen(minute) -> tuple:
        [one] = queries.visits_now(Appointment.objects.with_people().filter(pk=visit.pk), at(minute))
        return one.due.kind, one.due.what, one.due.at, one.due.is_due, one.due.is_overdue

    again = (DueKind.RECHECK, "Check again", at(35))
    table = {minute: seen(minute) for minute in (34, 35, 50, 51)}
    assert table == {
        34: (*again, False, False),
        35: (*again, True, False),
        50: (*again, True, False),
        51: (*again, True, True),
    }


def test_others_due_are_the_nurses_own_who_wait_now_overdue_first(make_visit, nurse_user, site):
    """Neither the patient of the page, nor a colleague's, nor whoever has nothing due or is not here yet."""
    nurse = make_nurse(user=nurse_user, site=site)
    own, overdue, due, quiet = (
        make_dose_record(make_visit(order=make_order(), nurse=nurse, start=at(start), state=State.IN_PROGRESS))
        for start in (-15, -60, 15, 60)
    )
    make_dose_record(make_visit(order=make_order(), state=State.IN_PROGRESS))
    make_visit(nurse=nurse, start=at(120), state=State.CONFIRMED)
    found = queries.others_due(nurse_user, site, at(62), leave_out=own.appointment)
    assert [(one.appointment, one.due.is_overdue) for one in found] == [
        (overdue.appointment, True),
        (due.appointment, False),
    ]
    assert quiet.appointment not in [one.appointment for one in found]
