"""What the middleware records of a page by itself: that a list of patients was shown, that somebody was refused.

Pages about one patient say themselves whom they open, by audit.will_open where a form is sent to them as well. Lists
are named in the settings, as this layer knows no pages.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from dataclasses import dataclass

from django.conf import settings
from django.utils.module_loading import import_string

from infusion_center.audit.context import origin
from infusion_center.audit.models import AuditEvent
from infusion_center.audit.services import record, record_what_opened, standing
from infusion_center.core import clock
from infusion_center.core.models import PUBLIC_ID_ALPHABET

logger = logging.getLogger(__name__)
PUBLIC_ID = f"[{PUBLIC_ID_ALPHABET}]{{14}}"
# Whom and what a page leads to: each of these is about one patient.
LED_TO = re.compile(rf"/(?:patients|orders|appointments|waitlist|reminders|checklists)/({PUBLIC_ID})[/\"?]".encode())
# Pages whose patients are all led to; others may name some without a link, so these are noted in any case.
ONLY_WITH_ROWS = {"the patients opened last"}
A_WHILE = dt.timedelta(minutes=15)
# So many refusals of one person in a while are told one by one; then the log alone, so that nobody fills the disk.
MOST_REFUSALS = 40
NOT_A_REFUSAL = "X-Person-Changed"  # an older page at a tablet that changed hands


@dataclass(frozen=True)
class Named:
    """A patient of whom only the address speaks, whether he exists or not."""

    public_id: str


def note_page(request, response) -> None:
    """Called with every answer; most cost nothing here."""
    user, match = getattr(request, "user", None), request.resolver_match
    if match is None or user is None or not user.is_authenticated:
        return
    if response.status_code in (403, 404):
        note_refusal(request, response)
    elif shows_page(response):
        record_what_opened()
        if request.method != "HEAD" and match.view_name in settings.PATIENT_LISTS:
            note_list(request, response)
        elif match.view_name.startswith("admin:") and match.view_name.endswith("_changelist"):
            note_admin_list(request, response)


def shows_page(response) -> bool:
    """Not one that only leads on, be it the browser or htmx that follows."""
    return response.status_code == 200 and "HX-Redirect" not in response.headers


def note_list(request, response) -> None:
    """One event with the number of what was shown; a search or download has left one of its own.

    What a page fetches by itself, as the board every minute, is noted once per person and quarter of an hour.
    """
    if response.streaming or standing(origin().written):
        return
    shown = len(set(LED_TO.findall(response.content)))
    what = settings.PATIENT_LISTS[request.resolver_match.view_name]
    is_fragment = "HX-Request" in request.headers
    if is_fragment and (not shown or _was_noted(request.user, what)):
        return
    if shown or what not in ONLY_WITH_ROWS:
        site = import_string(settings.SITE_IN_USE)(request)
        record("list.opened", site or request.user, by=request.user, site=site, what=what, count=shown)


def note_admin_list(request, response) -> None:
    """Whatever the list is of; a model that the admin shows one day needs no word here."""
    changelist = (getattr(response, "context_data", None) or {}).get("cl")
    if changelist is None:  # a filter that cannot be
        return
    what = f"admin: {changelist.opts.verbose_name_plural}"
    record("list.opened", request.user, by=request.user, what=what, count=len(changelist.result_list))


def _was_noted(user, what: str) -> bool:
    events = AuditEvent.objects.by_user(user).filter(action="list.opened", at__gt=clock.now() - A_WHILE)
    return events.filter(detail__what=what).exists()


def note_refusal(request, response) -> None:
    """In a transaction of its own: that of the page is over."""
    match, user = request.resolver_match, request.user
    ids = {name: text for name, text in match.kwargs.items() if name.endswith("_id") and is_id(text)}
    if NOT_A_REFUSAL in response.headers or (response.status_code == 404 and not ids):
        return
    past = AuditEvent.objects.by_user(user).filter(action="access.denied", at__gt=clock.now() - A_WHILE)
    if past[:MOST_REFUSALS].count() >= MOST_REFUSALS:
        logger.warning("refused again: %s, person %s", match.view_name, user.public_id)
        return
    patient = Named(ids["patient_id"]) if "patient_id" in ids else None
    asked = {"page": match.view_name[:60], "status": response.status_code, "method": request.method}
    record("access.denied", user, by=user, patient=patient, **asked, objects=sorted(ids.values()))


def is_id(text) -> bool:
    return re.fullmatch(rf"{PUBLIC_ID}|[0-9]{{1,19}}", str(text)) is not None
