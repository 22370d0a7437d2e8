"""The page behind the link of a waitlist offer: a GET shows, a POST accepts or declines. See public_views for why."""

from django.shortcuts import redirect, render
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from infusion_center.accounts.access import anonymous_allowed
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.reminders import links
from infusions.reminders.public_views import LINK_IN_MAIL, patient_page
from infusions.reminders.wording import offer_context, when_of
from infusions.scheduling.contention import BUSY
from infusions.scheduling.models import OfferState, WaitlistOffer
from infusions.scheduling.states import State
from infusions.scheduling.waitlist_matching import starts_still_free
from infusions.scheduling.waitlist_offers import accept_offer, decline_offer


@anonymous_allowed(reason=LINK_IN_MAIL)
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@patient_page
def offer(request, token):
    offered = links.read_offer_token(token)
    if request.method == "POST" and _answered(offered, request.POST.get("answer")):
        return redirect("reminders:offer", token=token)
    context = {**offer_context(offered), "situation": situation_of(offered), "busy": request.method == "POST"}
    booked = offered.entry.appointment
    if context["situation"] == "accepted":
        context["when"] = when_of(booked, context["language"])
    with translation.override(context["language"]):
        return render(request, f"infusions/reminders/public/{context['language']}/offer.html", context)


def _answered(offered: WaitlistOffer, answer: str | None) -> bool:
    """Whether the page can show how things stand now; not when too many press at once and it is to be tried again.

    What cannot be accepted any more is no error of the patient's.
    """
    answers = {"accept": accept_offer, "decline": decline_offer}
    try:
        if answer in answers:
            answers[answer](offer=offered)
    except RuleViolation as refused:
        return BUSY.code not in refused.codes
    return True


def situation_of(offered: WaitlistOffer) -> str:
    """open (can be answered), accepted, cancelled (accepted, cancelled later), lost, declined, expired, over."""
    now = clock.now()
    if offered.state == OfferState.ACCEPTED:
        booked = offered.entry.appointment
        if booked.state == State.CANCELLED:
            return "cancelled"
        return "accepted" if booked.end > now else "over"
    if offered.start <= now:
        return "over"
    if offered.state == OfferState.OPEN:
        if offered.expires_at <= now:
            return "expired"
        return "open" if starts_still_free([offered], now) else "lost"
    return offered.state
