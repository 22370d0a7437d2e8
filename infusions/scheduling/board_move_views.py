"""Moving a visit on the board: what it would mean, and the move itself, back to the board with a way to undo it."""

from django.contrib import messages
from django.http import Http404
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit.services import record_opening
from infusion_center.core import clock
from infusion_center.core.htmx import go_to, page_or_partial
from infusion_center.core.rules import RuleViolation
from infusions.scheduling.board_forms import BoardMoveForm
from infusions.scheduling.board_moves import preview_move
from infusions.scheduling.booking import move_appointment
from infusions.scheduling.meanwhile import seen_now
from infusions.scheduling.placing import seat_in_words
from infusions.scheduling.views import fetch_visit
from infusions.templatetags.infusion_tags import wall_moment

PAGE, FRAGMENT = "infusions/scheduling/move_preview.html", "infusions/scheduling/_move_preview.html"


@requires(Permission.BOOK_APPOINTMENT)
@require_http_methods(["GET", "POST"])
def move_preview(request, appointment_id):
    """GET shows what the move would mean and writes nothing; POST moves, or shows again why it did not."""
    seen, visit = seen_now(appointment_id), fetch_visit(request, appointment_id)
    form = BoardMoveForm(request.POST or request.GET, site=visit.site)
    if not form.is_valid():
        raise Http404("No such place on the board.")
    refused = []
    if request.method == "POST":
        was = f"{clock.quarter_of(visit.start)}~{visit.chair.public_id if visit.chair else ''}~{visit.nurse.public_id}"
        try:
            moved = move_appointment(appointment=visit, by=request.user, **form.wishes())
        except RuleViolation as violation:
            refused, visit = violation.problems, fetch_visit(request, appointment_id)
        else:
            now_at = f"{wall_moment(moved.start, moved.site)}, {seat_in_words(moved)}"
            messages.success(request, f"The visit of {moved.patient.name} is now {now_at}.")
            return go_to(request, board_address(moved, form.cleaned_data["view"], was))
    brief = "brief" in request.GET
    if not brief:  # else it is noted as a part of the board
        record_opening(visit, by=request.user, patient=visit.patient, what="visit")
    preview = preview_move(visit=visit, by=request.user, now=clock.now(), brief=brief, **form.spot())
    context = {
        "visit": visit,
        "site": visit.site,
        "preview": preview,
        "refused": refused,
        "form": form,
        "seen": seen,
        "options": [(clock.quarter_of(option.start), option) for option in preview.nearest],
        "board_url": board_address(visit, form.cleaned_data["view"]),
    }
    return page_or_partial(request, PAGE, FRAGMENT, context)


def board_address(visit, view: str, was: str = "") -> str:
    """The board on the visit's day with the focus on it; `was` is what undoing goes back to."""
    day = clock.local_date(visit.start, visit.site.time_zone)
    query = {"day": day.isoformat(), "view": view or "chairs", "moved": visit.public_id}
    if was:
        query |= {"was": was, "v": visit.version}
    return f"{reverse('scheduling:board')}?{urlencode(query)}"


def undo_of(request) -> dict | None:
    """What the form that undoes the last move sends; the same checks decide as for any move."""
    quarter, _, seat = request.GET.get("was", "").partition("~")
    chair, _, nurse = seat.partition("~")
    if not (quarter.isdigit() and nurse and request.GET.get("moved")):
        return None
    fields = {"quarter": quarter, "chair": chair, "nurse": nurse, "version": request.GET.get("v", "")}
    return {"appointment_id": request.GET["moved"], "fields": fields}
