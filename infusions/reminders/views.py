"""The ledger for staff: what was owed, sent, failed or skipped, and why; sending again."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.audit import services as audit
from infusion_center.core import clock, mail_folder
from infusion_center.core.rules import RuleViolation, warning
from infusions.facility.queries import current_site
from infusions.reminders import queries
from infusions.reminders.forms import PERIODS, STATES, ReminderFilterForm, ResendForm
from infusions.reminders.models import Reminder
from infusions.reminders.services import resend_reminder
from infusions.reminders.wording import preview_of
from patients.queries import search_patients

PAGE_SIZE = 50


@requires(Permission.VIEW_REMINDERS)
@require_GET
def reminder_list(request):
    site, now = current_site(request), clock.now()
    form = ReminderFilterForm(request.GET)
    chosen = form.chosen()
    found = search_patients(chosen["q"], limit=20) if chosen["q"] else None
    rows = queries.ledger_of(site, now, chosen, patients=found)
    page = Paginator(queries.in_state(rows, chosen["state"]), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "site": site,
        "page": page,
        "states": [(value, label, n) for (value, label), n in zip(STATES, queries.counts(rows), strict=True)],
        "periods": PERIODS,
        "chosen": chosen,
        "period": queries.period_of(chosen),
        "patient": queries.filtered_patient(request.user, chosen["patient"]),
        "problems": _silence(now),
        "has_mail_folder": mail_folder.is_folder_in_use(),
    }
    return render(request, "infusions/reminders/reminder_list.html", context)


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
    if request.method == "GET" and reminder.patient is not None:
        audit.record_opening(reminder, by=request.user, patient=reminder.patient, what="reminder")
    context = {
        "reminder": reminder,
        "patient": reminder.patient,
        "site": reminder.site,
        "preview": preview_of(reminder),
        "mail": queries.stored_mail_of(reminder),
        "others": reminder.about.reminders.exclude(pk=reminder.pk).order_by("due_at", "pk"),
        "may_resend": reminder.is_settled and has_permission(request.user, Permission.RESEND_REMINDER),
        "form": form,
    }
    return render(request, "infusions/reminders/reminder_detail.html", context)


def _silence(now) -> list:
    if not queries.is_sending_stalled(now):
        return []
    return [
        warning(
            "nothing-sent",
            "Messages have been due for more than ten minutes and are not being sent.",
            remedy="Tell whoever runs this system that the reminder worker or the mail server is down.",
        )
    ]
