"""A patient who arrived, and the nurse who looks after him; the questions in use, and a draft of the next version."""

import pytest

from infusions.checklists.template_services import start_draft
from infusions.scheduling.states import State
from tests.factories.checklists import make_template
from tests.factories.scheduling import make_appointment


@pytest.fixture
def arrived(site):
    return make_appointment(site=site, state=State.ARRIVED)


@pytest.fixture
def nurse(arrived):
    return arrived.nurse.user


@pytest.fixture
def in_use():
    return make_template()


@pytest.fixture
def draft(in_use, manager):
    return start_draft(by=manager)
