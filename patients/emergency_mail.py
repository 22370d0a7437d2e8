"""Tells the managers of an emergency access at once, by a mail that names no patient. It never fails the access."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from infusion_center.core import clock
from infusion_center.core.prompt_mail import notice, send_promptly
from patients.emergency_models import EmergencyAccess, EmergencyNotice
from patients.emergency_queries import managers_to_tell

SUBJECT = "An emergency access was opened: review it"


def tell_managers(access: EmergencyAccess) -> None:
    """Each manager gets a mail of his own; whether it left is kept and shown on the list of accesses."""
    managers = managers_to_tell(access)
    sent = send_promptly([_mail(access, manager) for manager in managers])
    now = clock.now()
    EmergencyNotice.objects.bulk_create(
        EmergencyNotice(access=access, manager=manager, tried_at=now, was_sent=was_sent)
        for manager, was_sent in zip(managers, sent, strict=True)
    )


def _mail(access: EmergencyAccess, manager) -> EmailMessage:
    url = f"{settings.SITE_URL}{reverse('patients:emergency-detail', args=[access.public_id])}"
    words = {"manager": manager, "person": access.user, "kind": access.get_kind_display(), "url": url}
    return notice(to=manager.email, subject=SUBJECT, template="patients/emergency_mail.txt", words=words)
