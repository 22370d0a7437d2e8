import datetime as dt
from decimal import Decimal

import pytest

from infusions.doses import recall_queries
from infusions.doses.models import DoseState, VialUsed
from infusions.doses.reaction_models import LateReaction, Reaction
from infusions.doses.recall_pages import answer_for, rows_of
from infusions.facility.models import Site
from infusions.scheduling.states import State
from infusions.stock.recall_queries import stock_of_lots
from tests.factories.doses import make_dose_record, make_vial
from tests.factories.facility import make_site
from tests.factories.formulary import make_product
from tests.factories.orders import make_order
from tests.factories.recalls import make_recall, make_stock_item
from tests.infusions.doses.conftest import NOON, at

D = Decimal


@pytest.fixture
def order():
    return make_order()


@pytest.fixture
def sites(nurse_user):
    return list(Site.objects.visible_to(nurse_user))


@pytest.fixture
def make_dose(make_visit):
    """A dose of 30 g in two vials of one lot."""

    def made(*, lot="AB12", order=None, state=DoseState.ENDED, start=NOON, site=None, visit_state=State.COMPLETED):
        more = {"site": site} if site else {}
        visit = make_visit(order=order or make_order(), start=start, state=visit_state, **more)
        return make_dose_record(visit, state=state, lot=lot)

    return made


def make_reaction(record, grade=2, kind="rash") -> Reaction:
    return Reaction.objects.create(
        record=record,
        kind=kind,
        grade=grade,
        onset_at=record.started_at,
        recorded_at=record.started_at,
        recorded_by=record.started_by,
    )


def make_late_reaction(record, kind="haemolysis") -> LateReaction:
    return LateReaction.objects.create(
        record=record,
        kind=kind,
        grade=3,
        onset_on=record.started_at.date(),
        learned_from="Hospital letter",
        recorded_at=record.started_at,
        recorded_by=record.started_by,
    )


def test_doses_of_lots_sums_the_grams_of_each_lot_of_a_dose(make_dose, sites):
    record = make_dose()
    make_vial(record, lot="CD34", grams="2.5")
    make_vial(record, lot="EF56", grams="5")
    make_dose(lot="GH78", start=at(600))
    found = recall_queries.doses_of_lots(["AB12", "CD34", "NONE"], sites)
    (dose,) = found.given
    assert (dose.record_id, dose.patient_id, dose.site, dose.visit_pk, dose.started_at) == (
        record.pk,
        record.patient_id,
        sites[0],
        record.appointment_id,
        record.started_at,
    )
    assert (dose.grams, dose.vials, found.grams, found.prepared) == (
        {"AB12": D("30"), "CD34": D("2.5")},
        3,
        D("32.5"),
        [],
    )


def test_doses_of_lots_puts_the_latest_first_and_keeps_to_the_product(make_dose, sites, order):
    early = make_dose(order=order, start=NOON - dt.timedelta(days=28))
    late = make_dose(order=order)
    other = make_dose(start=at(600))
    everything = recall_queries.doses_of_lots(["AB12"], sites)
    assert [dose.record_id for dose in everything.given] == [other.pk, late.pk, early.pk]
    assert everything.patient_ids == [other.patient_id, order.patient_id]
    of_product = recall_queries.doses_of_lots(["AB12"], sites, order.product)
    assert [dose.record_id for dose in of_product.given] == [late.pk, early.pk]


def test_doses_of_lots_leaves_out_other_sites(make_dose, sites):
    make_dose(site=make_site())
    found = recall_queries.doses_of_lots(["AB12"], sites)
    assert (found.given, found.prepared) == ([], [])


def test_running_and_prepared_doses_are_told_apart_and_what_was_called_off_is_forgotten(make_dose, sites):
    prepared = make_dose(state=DoseState.PREPARING, visit_state=State.ARRIVED)
    called_off = make_dose(state=DoseState.PREPARING, visit_state=State.NO_SHOW, start=at(600))
    running = make_dose(state=DoseState.INFUSING, visit_state=State.IN_PROGRESS, start=at(-30))
    found = recall_queries.doses_of_lots(["AB12"], sites)
    assert [dose.record_id for dose in found.given] == [running.pk]
    assert {dose.record_id for dose in found.prepared} == {prepared.pk, called_off.pk}
    now = [(visit, dose.record_id) for visit, dose in recall_queries.visits_now(found)]
    assert now == [(running.appointment, running.pk), (prepared.appointment, prepared.pk)]


def test_rows_show_other_lots_and_reactions_also_those_learned_of_later(make_dose, nurse_user):
    record = make_dose()
    make_vial(record, lot="ZZ99")
    during, later = make_reaction(record), make_late_reaction(record)
    answer = answer_for(["AB12"], None, nurse_user, NOON)
    (row,) = rows_of(answer, answer.doses.patient_ids)
    (line,) = row.lines
    assert (row.patient, line.visit_id, line.product, line.other_lots, line.reactions, line.late) == (
        record.patient,
        record.appointment.public_id,
        record.product,
        ["ZZ99"],
        [during],
        [later],
    )
    assert answer.with_reaction == 1


def test_visits_ahead_are_those_of_the_product_where_vials_lie_on_hand(make_visit, order, sites, site):
    site.tracks_stock = True
    site.save()
    empty = make_site(tracks_stock=True)
    soon = make_visit(order=order, start=NOON + dt.timedelta(days=27), state=State.CONFIRMED)
    make_visit(order=order, start=NOON + dt.timedelta(days=29), state=State.CONFIRMED)
    make_visit(order=order, start=NOON + dt.timedelta(days=3), state=State.CANCELLED, cancelled_at=NOON)
    make_visit(order=make_order(), start=NOON + dt.timedelta(days=4), state=State.CONFIRMED)
    make_visit(order=order, site=empty, start=NOON + dt.timedelta(days=5), state=State.CONFIRMED)
    make_stock_item(site, order.product, lot="AB12", on_hand=4)
    make_stock_item(empty, order.product, lot="AB12", on_hand=0, quarantined=3)
    sites = list(Site.objects.filter(pk__in=[site.pk, empty.pk]))
    stock = stock_of_lots(["AB12"], sites)
    doses = recall_queries.doses_of_lots(["AB12"], sites)
    found = recall_queries.visits_ahead(doses, stock, sites, [order.product_id], NOON)
    assert [(one.visit, one.held) for one in found] == [(soon, 4)]


def test_visits_ahead_are_also_those_whose_order_allows_the_product_instead(make_visit, make_dose, order, sites):
    make_dose(order=order)
    other = make_order(product=make_product(), alternatives=[order.product])
    soon = make_visit(order=other, start=NOON + dt.timedelta(days=20), state=State.CONFIRMED)
    doses = recall_queries.doses_of_lots(["AB12"], sites)
    found = recall_queries.visits_ahead(doses, [], sites, [order.product_id], NOON)
    assert [one.visit for one in found] == [soon]


def test_visits_ahead_where_no_stock_is_kept_follow_from_doses_given(make_visit, make_dose, order, sites):
    make_dose(order=order)
    soon = make_visit(order=order, start=NOON + dt.timedelta(days=20), state=State.CONFIRMED)
    doses = recall_queries.doses_of_lots(["AB12"], sites)
    found = recall_queries.visits_ahead(doses, [], sites, [order.product_id], NOON)
    assert [(one.visit, one.held) for one in found] == [(soon, None)]


def test_an_answer_costs_the_same_for_one_dose_and_for_many(
    make_dose, make_visit, nurse_user, site, django_assert_num_queries
):
    """Eight of the answer; then patients, visits, lots, reactions twice and contacts of the page."""

    def ask(recall):
        with django_assert_num_queries(14):
            answer = answer_for(["AB12", "CD34"], None, nurse_user, NOON)
            assert len(rows_of(answer, answer.doses.patient_ids, recall)) == len(answer.doses.patient_ids)
        return len(answer.doses.given)

    product = make_product()
    first = make_order()
    make_reaction(make_dose(order=first))
    make_dose(order=first, state=DoseState.PREPARING, visit_state=State.ARRIVED, start=at(300))
    make_stock_item(site, product)
    recall = make_recall(product)
    sizes = [ask(recall)]
    for number in range(3):
        record = make_dose(lot="CD34", start=NOON - dt.timedelta(days=number + 1))
        make_late_reaction(record)
        make_stock_item(site, product, lot="CD34", grams=str(number + 1))
    sizes.append(ask(recall))
    assert sizes == [1, 4]


def test_was_given_is_true_only_for_a_started_dose_of_the_recalled_lot_here(make_dose, sites, order):
    given, foreign = make_dose(order=order), make_dose(site=make_site())
    prepared = make_dose(state=DoseState.PREPARING, visit_state=State.ARRIVED, start=at(600))
    assert VialUsed.objects.filter(lot="AB12").count() == 6
    answers = {}
    for name, record in {"given": given, "foreign": foreign, "prepared": prepared}.items():
        recall = make_recall(record.product, ["AB12"])
        answers[name] = recall_queries.was_given(record.patient, recall, sites)
    other_lot = make_recall(order.product, ["AB13"])
    other_product = make_recall(make_product(), ["AB12"])
    assert answers == {"given": True, "foreign": False, "prepared": False}
    assert not recall_queries.was_given(order.patient, other_lot, sites)
    assert not recall_queries.was_given(order.patient, other_product, sites)


def test_given_by_recall_counts_the_patients_of_each_recall(make_dose, sites, order, django_assert_num_queries):
    make_dose(order=order)
    make_dose(order=order, start=NOON - dt.timedelta(days=28), lot="CD34")
    recalls = [make_recall(order.product, ["AB12", "CD34"]), make_recall(make_product(), ["AB12"])]
    with django_assert_num_queries(3):
        found = recall_queries.given_by_recall(recalls, sites)
    assert found == {recalls[0].pk: {order.patient_id}, recalls[1].pk: set()}
