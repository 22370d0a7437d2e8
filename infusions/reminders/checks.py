"""System check: the address that mails come from and the host of their links are read by everybody; no clinical word.

Only the written list is asked here: a check must not need the database.
"""

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register

from infusions.formulary.clinical_words import written_words

SETTINGS_IN_MAIL = ("DEFAULT_FROM_EMAIL", "SITE_URL")
HINT = "Patients' mail shows it: choose an address that names no treatment, drug or speciality."


@register(Tags.security)
def mail_settings_name_nothing_clinical(app_configs, **kwargs):
    return _complaints(Warning, "reminders.W001")


@register(Tags.security, deploy=True)
def mail_settings_must_name_nothing_clinical(app_configs, **kwargs):
    return _complaints(Error, "reminders.E001")


def _complaints(level, id):
    return [
        level(f"{name} holds {', '.join(map(repr, found))}.", hint=HINT, id=id)
        for name in SETTINGS_IN_MAIL
        if (found := written_words(getattr(settings, name)))
    ]
