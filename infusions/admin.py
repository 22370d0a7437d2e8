"""Imports each feature's admin pages for Django; a feature adds its line here."""

from infusions.formulary.admin import *  # noqa: F403
