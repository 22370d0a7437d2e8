"""Moving and cancelling a visit together with those that follow it in its series or course."""

from itertools import groupby

from django.contrib import messages
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_POST

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit.services import will_open
from infusion_center.core import clock
from infusion_center.core.htmx import go_to, is_htmx
from infusion_center.core.rules import RuleViolation
from infusions.scheduling.booking import cancel_appointment
from infusions.scheduling.meanwhile import seen_now
from infusions.scheduling.series_forms import CancelSeriesForm, MoveSeriesForm, ReasonForm, SeriesSheet
from infusions.scheduling.series_lines import LineWish
from infusions.scheduling.series_planning import check_series
from infusions.scheduling.series_queries import following_visits
from infusions.scheduling.series_services import SeriesRefused, cancel_following, move_following, shifted
from infusions.scheduling.series_views import MARKED, as_seen_by
from infusions.scheduling.views import fetch_visit


@requires(Permission.BOOK_APPOINTMENT)
def series_move(request, appointment_id):
    """GET shows where everything would go; POST checks the lines as they were changed. Neither writes."""
    visit, lines = _fetch(request, appointment_id)
    will_open(visit, by=request.user, patient=visit.patient, what="series plan")
    asked = _asked(request, visit)
    sheet, form = None, ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        sheet = _typed(request, visit, lines, asked, form)
    elif asked.is_bound and asked.is_valid():
        sheet = SeriesSheet.planned(_checked(request, visit, lines, _shifted_lines(visit, lines, asked)))
    return _show_move(request, visit, lines, asked, sheet, form)


@requires(Permission.BOOK_APPOINTMENT)
@require_POST
def series_move_apply(request, appointment_id):
    """Moves all lines, or none."""
    visit, lines = _fetch(request, appointment_id)
    will_open(visit, by=request.user, patient=visit.patient, what="series plan")
    asked, form = _asked(request, visit), ReasonForm(request.POST)
    if not asked.is_valid() or not form.is_valid():
        return _show_move(request, visit, lines, asked, None, form)
    sheet = _typed(request, visit, lines, asked, form)
    if form.errors or sheet.plan.unplaced or sheet.plan.problems:
        if not form.errors:
            form.add_error(None, MARKED)
        return _show_move(request, visit, lines, asked, sheet, form)
    try:
        moved = move_following(
            appointment=visit,
            start=asked.cleaned_data["start"],
            by=request.user,
            override_reason=form.cleaned_data["override_reason"],
            starts=_starts(lines, sheet.plan),
            versions=_versions_seen(request),
        )
    except RuleViolation as refused:
        by_line = _by_line(refused, lines) if isinstance(refused, SeriesRefused) else {}
        sheet.show(_checked(request, visit, lines, sheet.wishes(_days(lines))), by_line)
        form.show_problems([] if by_line else refused.problems)
        return _show_move(request, visit, lines, asked, sheet, form)
    messages.success(request, f"{len(moved)} visits of {visit.patient.name} are moved. The patient is to confirm them.")
    return go_to(request, "scheduling:appointment-detail", visit.public_id)


@requires(Permission.BOOK_APPOINTMENT)
def series_cancel(request, appointment_id):
    """This one or this and the rest, in one transaction, with one reason."""
    seen = seen_now(appointment_id)
    visit, lines = _fetch(request, appointment_id)
    tail = [one for line in lines for one in line]
    will_open(visit, by=request.user, patient=visit.patient, what="series")
    form = CancelSeriesForm(request.POST or None, initial={"version": visit.version, "seen": seen, "scope": "rest"})
    if request.method == "POST" and form.is_valid():
        given = {"appointment": visit, "reason": form.cleaned_data["reason"], "by": request.user}
        try:
            if form.cleaned_data["scope"] == "one":
                cancelled = [cancel_appointment(**given, **form.as_seen())]
            else:
                version = form.cleaned_data["version"]
                cancelled = cancel_following(**given, version=version, versions=_versions_seen(request, "tail"))
        except RuleViolation as refused:
            form.show_problems(refused.problems)
            if "changed-meanwhile" in refused.codes:
                form.look_again(visit.version, seen)
        else:
            many = f"{len(cancelled)} visits" if len(cancelled) > 1 else "One visit"
            messages.success(request, f"{many} of {visit.patient.name} cancelled.")
            return go_to(request, "scheduling:appointment-detail", visit.public_id)
    context = {"visit": visit, "patient": visit.patient, "site": visit.site, "form": form, "tail": tail}
    return render(request, "infusions/scheduling/series_cancel.html", context)


def _fetch(request, appointment_id):
    """The visit, and line by line what would go with it: a visit each, or the days of a course."""
    visit = fetch_visit(request, appointment_id)
    tail = following_visits(visit)
    if visit.pk not in {one.pk for one in tail}:
        raise Http404("Nothing of this series lies ahead.")
    return visit, [list(days) for _, days in groupby(tail, key=lambda one: one.course_start_id or one.pk)]


def _typed(request, visit, lines, asked, form) -> SeriesSheet:
    """The lines as typed; planned anew where somebody changed meanwhile how many there are."""
    sheet = SeriesSheet.typed(request.POST, zone=visit.site.time_zone)
    if sorted(sheet.forms) == list(range(1, len(lines) + 1)):
        sheet.show(_checked(request, visit, lines, sheet.wishes(_days(lines))))
    elif asked.is_valid():
        form.add_error(None, "The visits that follow were changed meanwhile. These are the dates by now.")
        sheet = SeriesSheet.planned(_checked(request, visit, lines, _shifted_lines(visit, lines, asked)))
    return sheet


def _days(lines) -> dict[int, int]:
    return {number: len(line) for number, line in enumerate(lines, start=1)}


def _asked(request, visit) -> MoveSeriesForm:
    local = clock.to_local(visit.start, visit.site.time_zone)
    data = request.GET if "day" in request.GET else None
    return MoveSeriesForm(data, zone=visit.site.time_zone, initial={"day": local.date(), "time": local.time()})


def _shifted_lines(visit, lines, asked) -> list[LineWish]:
    """Each course begins as many days later as the visit goes, at its new wall time."""
    zone = visit.site.time_zone
    new = shifted([line[0] for line in lines], visit, asked.cleaned_data["start"])
    wishes = []
    for number, line in enumerate(lines, start=1):
        local = clock.to_local(new[line[0].public_id], zone)
        wishes.append(LineWish(number, local.date(), local.time(), days=len(line)))
    return wishes


def _checked(request, visit, lines, wishes):
    pks = [one.pk for line in lines for one in line]
    plan = check_series(order=visit.order, site=visit.site, setting=visit.setting, lines=wishes, leave_out=pks)
    return as_seen_by(plan, request.user)


def _starts(lines, plan) -> dict:
    """A line that was left out stays where it is."""
    starts = {}
    for line, planned in zip(lines, plan.lines, strict=True):
        new = planned.starts if planned.is_kept else [one.start for one in line]
        starts |= {one.public_id: start for one, start in zip(line, new, strict=True)}
    return starts


def _versions_seen(request, name="version") -> dict[str, int] | None:
    pairs = [text.rpartition(":") for text in request.POST.getlist(name)]
    return {
        public_id: int(version) for public_id, _, version in pairs if version.isdecimal() and len(version) < 10
    } or None


def _by_line(refused, lines) -> dict[int, list]:
    """The service numbers visits, the page lines."""
    line_of = [number for number, line in enumerate(lines, start=1) for _ in line]
    found: dict[int, list] = {}
    for number, problems in refused.by_line.items():
        found.setdefault(line_of[number - 1], []).extend(problems)
    return found


def _show_move(request, visit, lines, asked, sheet, form):
    context = {
        "visit": visit,
        "order": visit.order,
        "patient": visit.patient,
        "site": visit.site,
        "lines": lines,
        "asked": asked,
        "sheet": sheet,
        "plan": sheet.plan if sheet else None,
        "form": form,
        "query": request.GET.urlencode(),
    }
    template = "_series_move_lines.html" if is_htmx(request) else "series_move.html"
    response = render(request, f"infusions/scheduling/{template}", context)
    response.headers["Vary"] = "HX-Request"
    return response
