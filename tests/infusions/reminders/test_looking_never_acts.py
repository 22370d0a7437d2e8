"""Mail scanners open every link of a mail, often several times: nothing in the database may change by that."""

import datetime as dt

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from infusions.reminders import links
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.infusions.reminders.public_scene import NOON, PURPOSES, make_scene, public_names

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


def everything() -> dict[str, list]:
    """Every row of every table."""
    return {
        model._meta.label: sorted(map(str, model._base_manager.values_list()))
        for model in apps.get_models(include_auto_created=True)
    }


SITUATIONS = {
    "open": {},
    "close by": {"start": NOON + dt.timedelta(hours=3), "end": NOON + dt.timedelta(hours=7)},
    "moved since": {"version": 2},
    "cancelled": {"state": State.CANCELLED, "cancelled_at": NOON},
    "over": {"state": State.COMPLETED},
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_opening_any_link_in_any_situation_writes_nothing(situation, time_machine):
    visit, addresses = make_scene()
    Appointment.objects.filter(pk=visit.pk).update(**SITUATIONS[situation])
    time_machine.move_to(NOON + dt.timedelta(minutes=1), tick=False)  # so that a mere save shows in updated_at
    reader, before = Client(), everything()
    for address in addresses.values():
        for method in ("get", "head", "get"):
            for query in ("", "?answer=confirm&mails=off&start=1&call=1&because=ill&again=1&done=moved"):
                assert getattr(reader, method)(f"{address}{query}").status_code in (200, 302, 410)
    assert everything() == before


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_no_other_method_does_anything(method):
    _, addresses = make_scene()
    before = everything()
    assert {getattr(Client(), method)(address).status_code for address in addresses.values()} == {405}
    assert everything() == before


def test_a_token_opens_the_page_of_its_own_purpose_only():
    _, addresses = make_scene()
    tokens = {name: address.strip("/").split("/")[1] for name, address in addresses.items()}
    opened = [
        (page, name)
        for page in addresses
        for name, token in tokens.items()
        if Client().get(reverse(f"reminders:{page}", args=[token])).status_code != 404
    ]
    assert opened == [(name, name) for name in addresses]


def test_forged_and_cut_tokens_open_nothing_and_old_ones_say_so(time_machine):
    _, addresses = make_scene()
    found = {}
    for name, address in addresses.items():
        begin, token = address.strip("/").split("/")[:2]
        rest = address[len(f"/{begin}/{token}") :]
        forged = [
            token[:-1],
            token[:-1] + ("A" if token[-1] != "A" else "B"),
            "x" + token,
            token.rpartition(".")[0],
            "x",
        ]
        found[name] = {Client().get(f"/{begin}/{one}{rest}").status_code for one in forged}
    assert found == {name: {404} for name in addresses}
    time_machine.move_to(NOON + links.MAX_AGE + dt.timedelta(seconds=1))
    assert {Client().get(address).status_code for address in addresses.values()} == {410}


def test_no_token_reaches_the_log(caplog, time_machine):
    """Neither of a refused method, nor of a link cut off, nor of an old one."""
    _, addresses = make_scene()
    for address in addresses.values():
        Client().put(address)
        Client().get(f"{address}nowhere/")
    time_machine.move_to(NOON + links.MAX_AGE + dt.timedelta(seconds=1))
    for address in addresses.values():
        Client().get(address)
    tokens = [address.split("/")[2] for address in addresses.values()]
    lines = [str(record.__dict__) for record in caplog.records]
    assert len([record for record in caplog.records if record.name == "infusion_center.access"]) == 3 * len(addresses)
    assert [line for line in lines if any(token in line for token in tokens)] == []


def test_every_page_with_a_token_is_walked_here():
    unknown = set(public_names()) - {*PURPOSES, "offer", "stop"}
    assert unknown == set()
