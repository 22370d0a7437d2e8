"""Gives the demo logins their PIN for shared tablets."""

from infusion_center.accounts.models import User
from infusion_center.accounts.tablet_services import set_pin
from infusion_center.core import clock
from infusions.demo import DEMO_LOGINS

DEMO_PIN = "246810"


def give_demo_pins() -> None:
    for person in User.objects.filter(email__in=DEMO_LOGINS.values()):
        set_pin(user=person, pin=DEMO_PIN, by=person, now=clock.now())
