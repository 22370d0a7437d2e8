"""The roster week, its shifts, and the nurses who work them."""

import datetime as dt

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from infusion_center.accounts.access import proof_required, requires
from infusion_center.accounts.queries import staff_of
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusions.facility import queries
from infusions.facility import roster_services as services
from infusions.facility.forms import ConfirmForm, NurseEditForm, NurseForm, ShiftForm
from infusions.facility.models import Nurse, Setting, Shift
from infusions.facility.pages import at_site, cover_url_if_hit, fetch_nurse, form_page
from infusions.facility.roster import monday_of, roster_week
from infusions.facility.services import add_member


def chosen_day(text, site) -> dt.date:
    """A day from the URL, kept inside the years that calendars agree on; today where it is none."""
    try:
        day = dt.date.fromisoformat(text or "")
    except ValueError:
        day = None
    return day if day and 2000 <= day.year <= 2100 else clock.local_date(clock.now(), site.time_zone)


def week_url(monday: dt.date) -> str:
    return f"{reverse('facility:roster-week')}?week={monday.isoformat()}"


@requires(Permission.VIEW_SCHEDULE, Permission.MANAGE_ROSTER)
@at_site
@require_safe
def roster_page(request, *, site):
    week = roster_week(site, monday_of(chosen_day(request.GET.get("week"), site)))
    today = clock.local_date(clock.now(), site.time_zone)
    context = {"site": site, "week": week, "today": today, "this_week": monday_of(today) == week.monday}
    return render(request, "infusions/facility/roster_week.html", context)


@requires(Permission.MANAGE_ROSTER)
@at_site
def shift_create(request, *, site):
    day = chosen_day(request.GET.get("day"), site)
    monday = monday_of(day)
    nurses = Nurse.objects.filter(pk__in=[nurse.pk for nurse in queries.nurses_of(site)]).select_related("user")
    nurse = nurses.filter(public_id=request.GET.get("nurse", "")).first()
    home = nurse is not None and nurse.visits_homes
    initial = {
        "nurse": nurse,
        "days": [day.isoformat()],
        "setting": Setting.HOME if home else Setting.FACILITY,
        "ratio": site.default_ratio,
    }
    hours = site.opening_hours.filter(weekday=day.weekday()).first()
    initial |= {"starts": hours.opens, "ends": hours.closes} if hours else {}
    week_days = queries.days_between(monday, monday + dt.timedelta(days=6))
    form = ShiftForm(request.POST or None, nurses=nurses, week_days=week_days, initial=initial)

    def save(data):
        del data["override_reason"]
        services.add_shifts(site=site, by=request.user, **data)

    page = {"title": "Add shifts", "text": f"By the clock of {site}.", "verb": "Add shifts", "done": "Added."}
    return form_page(request, form, save, to=week_url(monday), **page)


@requires(Permission.MANAGE_ROSTER)
def shift_remove(request, shift_id):
    shifts = Shift.objects.visible_to(request.user).select_related("site", "nurse__user")
    shift = get_object_or_404(shifts, public_id=shift_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    problems = services.removal_problems(shift, now=clock.now())
    if problems:
        form.ask_reason()

    def save(data):
        starts_at, ends_at, visits = shift.starts_at, shift.ends_at, shift.nurse.appointments.filter(site=shift.site)
        services.remove_shift(shift=shift, by=request.user, override_reason=data["override_reason"])
        return cover_url_if_hit(shift.site, visits.filter(setting=shift.setting), starts_at, ends_at)

    return form_page(
        request,
        form,
        save,
        to=week_url(monday_of(clock.local_date(shift.starts_at, shift.site.time_zone))),
        done="The shift is removed.",
        template="infusions/facility/shift_remove.html",
        shift=shift,
        problems=problems,
    )


@requires(Permission.MANAGE_ROSTER)
@at_site
@require_POST
def week_copy(request, *, site):
    monday = monday_of(chosen_day(request.POST.get("week"), site))
    added, left_out = services.copy_week(site=site, monday=monday, by=request.user)
    shifts = "1 shift" if added == 1 else f"{added} shifts"
    if added:
        messages.success(request, f"{shifts} copied from the week before.")
    if left_out:
        messages.warning(request, f"{left_out} left out: they overlap, or the nurse no longer works here.")
    if not added and not left_out:
        messages.info(request, "The week before has no shifts.")
    return redirect(week_url(monday))


@requires(Permission.MANAGE_ROSTER)
@at_site
@require_safe
def nurse_list(request, *, site):
    members = Nurse.objects.filter(user__site_memberships__site=site).select_related("user")
    context = {"site": site, "nurses": members.order_by("-is_active", "-user__is_active", "user__full_name")}
    return render(request, "infusions/facility/nurse_list.html", context)


@requires(Permission.MANAGE_ROSTER)
@proof_required
@at_site
def nurse_create(request, *, site):
    users = staff_of(request.user).filter(is_active=True, nurse=None).order_by("full_name")
    form = NurseForm(request.POST or None, users=users)

    def save(data):
        services.add_nurse(user=data["user"], visits_homes=data["visits_homes"], by=request.user)
        add_member(site=site, user=data["user"], by=request.user)

    page = {
        "title": "Add a nurse",
        "text": f"A member of staff who infuses. The person also becomes a member of {site}.",
        "verb": "Add nurse",
        "done": "The nurse is added and can be put on the roster.",
    }
    return form_page(request, form, save, to="facility:nurse-list", **page)


@requires(Permission.MANAGE_ROSTER)
def nurse_edit(request, nurse_id):
    nurse = fetch_nurse(request, nurse_id)
    initial = {"visits_homes": nurse.visits_homes, "is_active": nurse.is_active}
    form = NurseEditForm(request.POST if request.method == "POST" else None, initial=initial)

    def save(data):
        services.amend_nurse(nurse=nurse, by=request.user, **data)

    page = {"title": str(nurse), "verb": "Save", "done": "Saved."}
    return form_page(request, form, save, to="facility:nurse-list", **page)
