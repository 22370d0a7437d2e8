"""Tells the managers of a patient's other sites that one more site treats him: who takes a chart along is seen."""

from django.conf import settings
from django.urls import reverse

from infusion_center.accounts.queries import managers
from infusion_center.core.prompt_mail import notice, send_promptly
from patients.models import Patient

SUBJECT = "One of your patients is treated at another site too"


def tell_other_sites(*, patient: Patient, site, person) -> None:
    """A mail to each manager of a site that treated the patient before; it names no patient, the trail does."""
    before = patient.site_links.exclude(site=site).values("site")
    to_tell = managers().filter(site_memberships__site__in=before).exclude(pk=person.pk).distinct().order_by("pk")
    words = {"person": person, "site": site, "url": f"{settings.SITE_URL}{reverse('audit:trail')}?action=patient"}
    send_promptly(
        [
            notice(to=manager.email, subject=SUBJECT, template="patients/treat_here_mail.txt", words=words)
            for manager in to_tell
        ]
    )
