"""Where mail providers report what became of a mail. anymail reads and verifies; what it hands on is recorded.

The shared secret in the provider's address is the authority: without ANYMAIL_WEBHOOK_SECRET nothing is taken here.
"""

import logging
from functools import wraps

from anymail.exceptions import AnymailConfigurationError, AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason, tracking
from anymail.webhooks.mailgun import MailgunTrackingWebhookView
from anymail.webhooks.mandrill import MandrillCombinedWebhookView
from anymail.webhooks.postmark import PostmarkTrackingWebhookView
from anymail.webhooks.sparkpost import SparkPostTrackingWebhookView
from django.conf import settings
from django.dispatch import receiver
from django.http import Http404, HttpResponse
from django.views.defaults import bad_request

from infusion_center.accounts.access import anonymous_allowed
from infusions.reminders import limits
from infusions.reminders.delivery import REMINDER_KEY
from infusions.reminders.delivery_models import MailEventKind
from infusions.reminders.mail_events import MailReport, record_mail_event

logger = logging.getLogger(__name__)
KINDS = {
    EventType.DELIVERED: MailEventKind.DELIVERED,
    EventType.DEFERRED: MailEventKind.DEFERRED,
    EventType.BOUNCED: MailEventKind.BOUNCED,
    EventType.REJECTED: MailEventKind.BOUNCED,  # never left the provider: to the patient it is the same
    EventType.FAILED: MailEventKind.BOUNCED,
    EventType.COMPLAINED: MailEventKind.COMPLAINED,
}
# Other reasons speak of the message, of the sender or of a passing state, not of an address that takes no mail.
FINAL_REASONS = (RejectReason.BOUNCED, RejectReason.INVALID)
LONGEST_ADDRESS = 254
HARD_CLASSES = ("10", "30")  # SparkPost: no such recipient


def reported(view):
    """One provider's view, shut where no secret is set or the provider's own settings are missing."""

    @anonymous_allowed(reason="mail providers report by webhook: the shared secret is the authority")
    @wraps(view)
    def guarded(request):
        if not settings.ANYMAIL["WEBHOOK_SECRET"]:
            raise Http404
        try:
            return view(request)
        except AnymailWebhookValidationFailure:
            return _refused(request)
        except AnymailConfigurationError as error:
            logger.error("a mail provider's report was not taken: %s", error)
            raise Http404 from error

    return guarded


def _refused(request) -> HttpResponse:
    """Without the secret, or not signed as the provider does. Who goes on trying is told to wait."""
    try:
        limits.count_guess(request)
    except limits.AskedTooOften:
        return HttpResponse(status=429, headers={"Retry-After": str(limits.PAUSE_SECONDS)})
    return bad_request(request, None)


WEBHOOKS = {
    "mailgun": reported(MailgunTrackingWebhookView.as_view()),
    "mandrill": reported(MandrillCombinedWebhookView.as_view()),
    "postmark": reported(PostmarkTrackingWebhookView.as_view()),
    "sparkpost": reported(SparkPostTrackingWebhookView.as_view()),
}


@receiver(tracking)
def note_what_became_of_a_mail(sender, event: AnymailTrackingEvent, esp_name: str, **kwargs) -> None:
    if kind := KINDS.get(event.event_type):
        record_mail_event(
            MailReport(
                provider=esp_name,
                kind=kind,
                happened_at=event.timestamp,
                address=_text(event.recipient)[:LONGEST_ADDRESS],
                message_id=_text(event.message_id),
                event_id=_text(event.event_id),
                reminder_id=_text((event.metadata or {}).get(REMINDER_KEY)),
                is_final=event.reject_reason in FINAL_REASONS and not _is_soft(event, esp_name),
                detail=_text(event.mta_response or event.description),
            )
        )


def _text(told) -> str:
    """JSON may hold a NUL, of which the check of forms knows nothing, and which PostgreSQL does not keep."""
    return str(told or "").replace("\x00", "")


def _is_soft(event: AnymailTrackingEvent, esp_name: str) -> bool:
    """Providers tell what came back for a while from what came back for good, each in its own words."""
    told = event.esp_event
    if esp_name == "Postmark":
        return told.get("Type") == "SoftBounce"
    if esp_name == "Mandrill":
        return told.get("event") == "soft_bounce"
    if esp_name == "SparkPost":
        about = next(iter(told.get("msys", {}).values()), {})
        return str(about.get("bounce_class", "")) not in HARD_CLASSES
    return False  # Mailgun's are reported as deferred
