"""Writes of a site's own words in patients' mails."""

from django.db import transaction

from infusion_center.audit import services as audit
from infusion_center.core.rules import RuleViolation, blocker, refuse_if_blocking
from infusions.facility.models import Site
from infusions.reminders.own_words import WORDED, OwnWords, wording_problems
from infusions.reminders.wording_models import MailWording
from patients.models import Language

FIELDS = ("subject", "opening", "note")


@transaction.atomic
def save_wording(*, site: Site, kind: str, language: str, words: OwnWords, by) -> None:
    """From now on mails of this kind and language say it so; nothing typed brings the shipped words back."""
    if kind not in WORDED or language not in Language.values:
        raise RuleViolation([blocker("no-such-mail", "No mail to patients is of this kind and language.")])
    if not words:
        return reset_wording(site=site, kind=kind, language=language, by=by)
    refuse_if_blocking(wording_problems(words))
    row = MailWording.objects.select_for_update().filter(site=site, kind=kind, language=language).first()
    row = row or MailWording(site=site, kind=kind, language=language)
    changed = [name for name in FIELDS if getattr(row, name) != getattr(words, name)]
    if not changed:
        return None
    for name in changed:
        setattr(row, name, getattr(words, name))
    row.changed_by = by
    row.save()
    audit.record("mail_wording.saved", row, by=by, site=site, kind=kind, language=language, changed=changed)
    return None


@transaction.atomic
def reset_wording(*, site: Site, kind: str, language: str, by) -> None:
    """Back to the shipped words."""
    row = MailWording.objects.filter(site=site, kind=kind, language=language).first()
    if row is not None:
        audit.record("mail_wording.reset", row, by=by, site=site, kind=kind, language=language)
        row.delete()
