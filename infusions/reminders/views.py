"""The ledger for staff: what was owed, sent, failed or skipped, and why; sending again."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.audit import services as audit
from infusion_center.core import clock, mail_folder
from infusion_center.core.rules import RuleViolation
from infusion_center.core.searching import to_sealed, typed
from infusions.facility.queries import current_site
from infusions.reminders import queries
from infusions.reminders.blocks import block_problems
from infusions.reminders.forms import PERIODS, STATES, ReminderFilterForm, ResendForm
from infusions.reminders.glance import needs_of, volume_of
from infusions.reminders.models import Reminder
from infusions.reminders.services import resend_reminder
from infusions.reminders.volume_picture import picture_of
from infusions.reminders.wording import preview_of
from patients.finding import find_patients
from patients.models import Patient

PAGE_SIZE = 50
FILTERS = ("when", "state", "patient", "kind", "day")  # stand in the address as they are
EVENTS_SHOWN = 20  # a receiver may put a message off for days, and each time is told


@requires(Permission.VIEW_REMINDERS)
@require_http_methods(["GET", "HEAD", "POST"])
def reminder_list(request):
    if request.method == "POST":
        asked = {name: value for name in FILTERS if (value := request.POST.get(name, ""))}
        return to_sealed(request, typed(request), **asked)
    site, now = current_site(request), clock.now()
    form = ReminderFilterForm(request.GET.dict() | {"q": typed(request)})
    chosen, visible = form.chosen(), Patient.objects.visible_to(request.user)
    found = find_patients(chosen["q"], 20, by=request.user, among=visible) if chosen["q"] else None
    rows = queries.ledger_of(site, now, chosen, patients=found)
    shown = queries.in_state(rows, chosen["state"]).annotate(is_back=queries.came_back())
    page = Paginator(shown, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "site": site,
        "page": page,
        "states": [(value, label, n) for (value, label), n in zip(STATES, queries.counts(rows), strict=True)],
        "periods": PERIODS,
        "chosen": chosen,
        "period": queries.period_of(chosen),
        "patient": queries.filtered_patient(request.user, chosen["patient"]),
        "has_mail_folder": mail_folder.is_folder_in_use(),
        **(_at_a_glance(site, now) if site and not (chosen["q"] or chosen["patient"] or chosen["day"]) else {}),
    }
    return render(request, "infusions/reminders/reminder_list.html", context)


def _at_a_glance(site, now) -> dict:
    """For whoever looks at the site as a whole; not for who looks for one patient or day."""
    volume = volume_of(site, now)
    return {"needs": needs_of(site, now), "volume": volume, "picture": picture_of(volume)}


@requires(Permission.VIEW_REMINDERS)
@require_GET
def reminder_detail(request, reminder_id):
    return _detail(request, _reminder(request, reminder_id), ResendForm())


@requires(Permission.RESEND_REMINDER)
@require_http_methods(["POST"])
def reminder_resend(request, reminder_id):
    reminder = _reminder(request, reminder_id)
    form = ResendForm(request.POST)
    if form.is_valid():
        try:
            again = resend_reminder(reminder=reminder, by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, "It will be sent again within a minute.")
            return redirect("reminders:reminder-detail", reminder_id=again.public_id)
    return _detail(request, reminder, form)


def _reminder(request, reminder_id: str) -> Reminder:
    rows = Reminder.objects.visible_to(request.user).with_visit().select_related("requested_by")
    return get_object_or_404(rows, public_id=reminder_id)


def _detail(request, reminder: Reminder, form: ResendForm):
    if reminder.patient is not None:
        audit.record_opening(reminder, by=request.user, patient=reminder.patient, what="reminder")
    may_resend = has_permission(request.user, Permission.RESEND_REMINDER)
    context = {
        "reminder": reminder,
        "problems": block_problems(reminder.patient, may_lift=may_resend) if reminder.patient else [],
        "patient": reminder.patient,
        "site": reminder.site,
        "preview": preview_of(reminder),
        "mail": queries.stored_mail_of(reminder),
        "others": reminder.about.reminders.exclude(pk=reminder.pk).order_by("due_at", "pk"),
        "events": reminder.mail_events.all()[:EVENTS_SHOWN],
        "may_resend": reminder.is_settled and may_resend,
        "form": form,
    }
    return render(request, "infusions/reminders/reminder_detail.html", context)
