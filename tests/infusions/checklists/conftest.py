"""A patient who arrived, and the nurse who looks after him."""

import pytest

from infusions.scheduling.states import State
from tests.factories.scheduling import make_appointment


@pytest.fixture
def arrived(site):
    return make_appointment(site=site, state=State.ARRIVED)


@pytest.fixture
def nurse(arrived):
    return arrived.nurse.user
