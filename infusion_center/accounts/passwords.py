"""Which passwords are refused besides short, common and personal ones: the name of the place, one key held down."""

from __future__ import annotations

import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.module_loading import import_string

APPLICATION = ("infusion center", "infusion", "center")
DIFFERENT_CHARACTERS = 5
OWN_CHARACTERS = 8  # what must be left when such names are taken out


class NamesOfThePlace:
    """The name of the application or of a site, with a year or an exclamation mark behind it, is the first guess."""

    def validate(self, password, user=None):
        rest = password.casefold()
        for name in sorted(self._names(), key=len, reverse=True):
            rest = rest.replace(name, "")
        if rest != password.casefold() and len(re.sub(r"[\W\d_]", "", rest)) < OWN_CHARACTERS:
            raise ValidationError("This password is made from the name of this place.", code="password_names_place")

    def get_help_text(self):
        return "Your password must not be made from the name of this place."

    def _names(self) -> set[str]:
        """With spaces and without. This layer knows no sites, so the settings name who does."""
        names = {*APPLICATION, *(name.casefold() for name in import_string(settings.SITE_NAMES_OF)())}
        return {form for name in names for form in (name, name.replace(" ", "")) if len(name) > 3}


class FewCharacters:
    """Twelve times the same key is long, and no password."""

    def validate(self, password, user=None):
        if len(set(password)) < DIFFERENT_CHARACTERS:
            raise ValidationError("This password repeats too few different characters.", code="password_repeats")

    def get_help_text(self):
        return "Your password must not repeat a few characters only."
