"""Imports each feature's admin pages for Django; a feature adds its line here."""

from infusions.facility.admin import *  # noqa: F403
from infusions.formulary.admin import *  # noqa: F403
from infusions.orders.admin import *  # noqa: F403
