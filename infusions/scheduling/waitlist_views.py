"""The waitlist for the desk: who waits, what became free, who fits it; booking one or asking several by mail."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit.services import record_opening, will_open
from infusion_center.core import clock
from infusion_center.core.htmx import go_to
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Setting, Site
from infusions.facility.queries import current_site
from infusions.scheduling import waitlist_queries as queries
from infusions.scheduling.models import Appointment, WaitlistEntry, WaitlistState
from infusions.scheduling.queries import course_so_far
from infusions.scheduling.slots import next_window
from infusions.scheduling.states import UPCOMING
from infusions.scheduling.views import fetch_order, fetch_visit
from infusions.scheduling.waitlist_forms import CloseEntryForm, EntryForm, initial_of
from infusions.scheduling.waitlist_matching import matches_for
from infusions.scheduling.waitlist_offers import OfferedStart, send_offers
from infusions.scheduling.waitlist_services import add_to_waitlist, amend_entry, book_from_waitlist, close_entry

PAGE_SIZE = 50
USUAL_NOTICE = 24


@requires(Permission.VIEW_SCHEDULE)
@require_safe
def waitlist(request):
    site, now = current_site(request), clock.now()
    if site is None:
        return render(request, "infusions/scheduling/board_no_site.html")
    shown = request.GET.get("state", "waiting")
    rows = queries.listed_entries(site, shown, now)
    context = {
        "site": site,
        "shown": shown if shown in queries.LISTS else "waiting",
        "lists": queries.LISTS,
        "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "freed": queries.slots_with_waiting(site, now),
        "today": clock.local_date(now, site.time_zone),
    }
    return render(request, "infusions/scheduling/waitlist.html", context)


@requires(Permission.BOOK_APPOINTMENT)
@require_http_methods(["GET", "HEAD", "POST"])
def waitlist_add(request, order_id):
    order = fetch_order(request, order_id)
    sites, visits = Site.objects.visible_to(request.user), _visits_of(request, order)
    if not sites:
        raise Http404("You belong to no site.")
    will_open(order, by=request.user, patient=order.patient, what="waitlist")
    if request.method != "POST":
        waiting = (
            WaitlistEntry.objects.visible_to(request.user).filter(order=order, state=WaitlistState.WAITING).first()
        )
        if waiting is not None:  # an order waits once: what it waits for can be changed
            return go_to(request, "scheduling:waitlist-entry", waiting.public_id)
        form = EntryForm(sites=sites, visits=visits, initial=_suggested(request, order, visits))
    else:
        form = EntryForm(request.POST, sites=sites, visits=visits)
        if form.is_valid():
            try:
                add_to_waitlist(order=order, by=request.user, **form.wishes())
            except RuleViolation as refused:
                form.show_problems(refused.problems)
            else:
                messages.success(request, f"{order.patient.name} is on the waitlist.")
                return go_to(request, "scheduling:waitlist")
    context = {"order": order, "patient": order.patient, "form": form}
    return render(request, "infusions/scheduling/waitlist_form.html", context)


@requires(Permission.BOOK_APPOINTMENT)
@require_http_methods(["GET", "HEAD", "POST"])
def waitlist_entry(request, entry_id):
    """One entry: what was asked for, what was offered; to change while it waits."""
    entry = _fetch_entry(request, entry_id)
    will_open(entry, by=request.user, patient=entry.patient, what="waitlist entry")
    form = _entry_form(request, entry)
    if request.method == "POST" and form.is_valid():
        try:
            amend_entry(entry=entry, version=form.cleaned_data["version"] or 0, by=request.user, **form.wishes())
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, "The entry is changed.")
            return go_to(request, "scheduling:waitlist")
    return _show_entry(request, entry, form, CloseEntryForm(initial={"version": entry.version}))


@requires(Permission.BOOK_APPOINTMENT)
@require_POST
def waitlist_close(request, entry_id):
    entry = _fetch_entry(request, entry_id)
    will_open(entry, by=request.user, patient=entry.patient, what="waitlist entry")
    form = CloseEntryForm(request.POST)
    if form.is_valid():
        try:
            close_entry(entry=entry, by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, f"The entry of {entry.patient.name} is closed.")
            return go_to(request, "scheduling:waitlist")
    return _show_entry(request, entry, _entry_form(request, entry, fresh=True), form)


@requires(Permission.BOOK_APPOINTMENT)
@require_safe
def slot_freed(request, appointment_id):
    """What a cancelled or moved visit left free, and who of the waitlist fits it."""
    now, visit = clock.now(), fetch_visit(request, appointment_id)
    record_opening(visit, by=request.user, patient=visit.patient, what="freed time")
    freed = queries.freed_by(visit, now)
    left = queries.still_free(freed) if freed else None
    context = {
        "visit": visit,
        "freed": freed,
        "left": left,
        "site": visit.site,
        "matches": matches_for(left, now) if left else [],
        "offers": queries.offers_in(freed) if freed else [],
        "now": now,
    }
    return render(request, "infusions/scheduling/slot_freed.html", context)


@requires(Permission.BOOK_APPOINTMENT)
@require_POST
def waitlist_book(request, entry_id):
    """One press books what the row shows; everything is checked again."""
    entry = _fetch_entry(request, entry_id)
    start = clock.parse_instant(request.POST.get("start", ""))
    try:
        if start is None:
            raise Http404("No start was sent.")
        visit = book_from_waitlist(entry=entry, start=start, by=request.user)
    except RuleViolation as refused:
        _tell(request, refused)
        freed_id = request.POST.get("freed", "")
        if Appointment.objects.visible_to(request.user).filter(public_id=freed_id).exists():
            return go_to(request, "scheduling:slot-freed", freed_id)
        return go_to(request, "scheduling:waitlist")
    done = "moved to the earlier time" if entry.instead_of_id else "booked"
    messages.success(request, f"The visit of {entry.patient.name} is {done}.")
    return go_to(request, "scheduling:appointment-detail", visit.public_id)


@requires(Permission.BOOK_APPOINTMENT)
@require_POST
def slot_offer(request, appointment_id):
    """Asks the chosen by mail. What each would get is looked up again, not taken from the page."""
    visit, chosen = fetch_visit(request, appointment_id), request.POST.getlist("entry")
    freed = queries.freed_by(visit, clock.now())
    left = queries.still_free(freed) if freed else None
    matches = matches_for(left, clock.now()) if left else []
    offered = [OfferedStart(m.entry, m.start, m.end) for m in matches if m.entry.public_id in chosen]
    try:
        offers = send_offers(offered=offered, by=request.user)
    except RuleViolation as refused:
        _tell(request, refused)
    else:
        gone = len(set(chosen)) - len(offers)
        message = f"{len(offers)} offer{'' if len(offers) == 1 else 's'} will be sent within a minute."
        messages.success(request, message + (f" {gone} of the chosen no longer fit." if gone else ""))
    return go_to(request, "scheduling:slot-freed", visit.public_id)


def _tell(request, refused: RuleViolation) -> None:
    for problem in refused.problems:
        messages.error(request, " ".join(filter(None, [problem.message, problem.remedy])))


def _fetch_entry(request, entry_id) -> WaitlistEntry:
    entries = (
        WaitlistEntry.objects.visible_to(request.user).with_people().select_related("order__patient", "appointment")
    )
    return get_object_or_404(entries, public_id=entry_id)


def _visits_of(request, order):
    """Booked visits of the order that could come earlier."""
    visits = Appointment.objects.visible_to(request.user).filter(order=order, state__in=UPCOMING)
    return visits.filter(start__gt=clock.now()).select_related("site").order_by("start")


def _entry_form(request, entry, *, fresh=False) -> EntryForm:
    sent = request.POST if request.method == "POST" and not fresh else None
    sites = Site.objects.visible_to(request.user)
    return EntryForm(sent, sites=sites, visits=_visits_of(request, entry.order), initial=initial_of(entry))


def _show_entry(request, entry, form, close_form):
    context = {
        "entry": entry,
        "order": entry.order,
        "patient": entry.patient,
        "site": entry.site,
        "form": form,
        "close_form": close_form,
        "offers": entry.offers.select_related("offered_by").prefetch_related("reminders"),
        "now": clock.now(),
    }
    return render(request, "infusions/scheduling/waitlist_entry.html", context)


def _suggested(request, order, visits) -> dict:
    """The next booked visit, and the days in which the order's interval would be kept before it."""
    asked = next((visit for visit in visits if visit.public_id == request.GET.get("visit")), None)
    visit = asked or next(iter(visits), None)
    site = visit.site if visit else current_site(request) or Site.objects.visible_to(request.user).first()
    today = clock.local_date(clock.now(), site.time_zone)
    course = course_so_far(order, ignore=visit)
    on = clock.local_date(visit.start, site.time_zone) if visit else None
    window = next_window(order, course.until(on) if on else course, today)
    last = min(window.last, on) if on else window.last
    return {
        "instead_of": visit.public_id if visit else None,
        "site": site.public_id,
        "setting": visit.setting if visit else Setting.FACILITY,
        "first_on": max(window.needs_approval_before or window.first, window.first),
        "last_on": max(last, window.first),
        "notice_hours": USUAL_NOTICE,
    }
