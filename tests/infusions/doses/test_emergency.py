"""The emergency card: the patient's own epinephrine dose, and the public card that a tablet keeps."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from infusions.formulary.epinephrine import epinephrine_dose
from infusions.scheduling.states import State
from tests.factories.doses import make_dose_record


@pytest.mark.parametrize(
    ("kg", "text"),
    [
        ("3.4", "0.03"),  # rounded down
        ("7.99", "0.07"),
        ("10", "0.1"),
        ("29.99", "0.29"),
        ("30", "0.3"),
        ("30.9", "0.3"),
        ("31", "0.3 to 0.31"),  # one maximum cuts, the other does not
        ("42.5", "0.3 to 0.42"),
        ("50", "0.3 to 0.5"),
        ("51", "0.3 to 0.5"),
        ("150", "0.3 to 0.5"),
    ],
)
def test_epinephrine_is_a_hundredth_of_a_milligram_per_kilogram_up_to_both_maxima(kg, text):
    """Source: fact sheet 5, anaphylaxis: 0.01 mg/kg, at most 0.3 to 0.5 mg."""
    assert epinephrine_dose(Decimal(kg)).text == text


def dialog_of(page: str) -> str:
    return " ".join(page[page.index("<dialog") : page.index("</dialog>")].split())


def test_the_card_over_an_infusion_shows_the_dose_for_the_latest_weight(client_for, make_visit):
    record = make_dose_record(make_visit(state=State.IN_PROGRESS))
    page = reverse("doses:dose-detail", args=[record.appointment.public_id])
    record.patient.weights.create(
        kg="18.4",
        measured_on=record.appointment.start.date(),
        recorded_at=record.appointment.start,
        recorded_by=record.appointment.nurse.user,
    )
    card = dialog_of(client_for("nurse").get(page).content.decode())
    assert "Epinephrine 0.18 mg" in card
    assert "for 18.4 kg, weighed" in card


def test_the_card_over_the_list_of_patients_shows_the_table_only(client_for):
    card = dialog_of(client_for("nurse").get(reverse("doses:my-patients")).content.decode())
    assert ("Epinephrine by weight" in card, "into the muscle, " in card) == (True, False)


@pytest.mark.django_db
def test_the_kept_card_needs_no_sign_in_and_names_nobody(django_assert_num_queries):
    with django_assert_num_queries(0):
        plain, kept = (Client().get(f"/emergency/card/{query}").content.decode() for query in ("", "?offline=1"))
    assert ("No network" in plain, "No network" in kept, "Epinephrine by weight" in kept) == (False, True, True)
    assert "csrf" not in kept


@pytest.mark.django_db
def test_the_worker_may_stand_in_for_every_page_and_changes_with_the_card(settings):
    first = Client().get("/emergency-worker.js")
    assert (first["Content-Type"], first["Service-Worker-Allowed"]) == ("text/javascript; charset=utf-8", "/")
    settings.STATIC_URL = "/elsewhere/"
    assert Client().get("/emergency-worker.js").content != first.content
    assert "worker-src 'self'" in first["Content-Security-Policy"]
