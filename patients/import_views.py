"""Pages to bring in patients from a sheet: upload, look and choose, register, and what came of it."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusion_center.core.csv_text import csv_lines, csv_response
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Site
from infusions.facility.pages import at_site
from patients import import_services as services
from patients.import_columns import BY_NAME, COLUMNS
from patients.import_forms import PageChoiceForm, UploadForm
from patients.import_models import ImportState, PatientImport, RowState
from patients.import_pages import DateQuestion, filters_of, named_by, refused_lines, registered_patients, shown_rows
from patients.named_charts import note_named

ROWS_A_PAGE = 100
NOT_UTF_8 = (
    "This file is not UTF-8; its letters were read as those of Windows. Look at names with accents: if some are wrong, "
    "save it as CSV UTF-8 and upload it again."
)


def own_import(request, import_id: str) -> PatientImport:
    """404 for a sheet that somebody else uploaded, that is older than a day, or of a site that the person has left."""
    return get_object_or_404(own_imports(request.user).select_related("site"), public_id=import_id)


def own_imports(user) -> QuerySet:
    sites = Site.objects.visible_to(user)
    return PatientImport.objects.filter(by=user, site__in=sites, uploaded_at__gt=clock.now() - services.KEPT_FOR)


@requires(Permission.IMPORT_PATIENTS)
@at_site
def import_upload(request, *, site):
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            upload = services.keep_sheet(
                sheet=form.sheet,
                file_hash=form.file_hash,
                site=site,
                is_test=form.cleaned_data["is_test"],
                by=request.user,
            )
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            if form.sheet.encoding != "utf-8":
                messages.warning(request, NOT_UTF_8)
            return redirect(upload)
    context = {"form": form, "columns": COLUMNS, "mine": own_imports(request.user), "site": site}
    return render(request, "patients/import_upload.html", context)


@requires(Permission.IMPORT_PATIENTS)
@require_GET
def import_template(request):
    """An empty sheet with one row to overwrite."""
    lines = csv_lines([column.heading for column in COLUMNS], [[column.example for column in COLUMNS]])
    return csv_response(lines, "patients-template.csv")


@requires(Permission.IMPORT_PATIENTS)
def import_preview(request, import_id):
    upload = own_import(request, import_id)
    if upload.state != ImportState.OPEN:
        return redirect(upload)
    if request.method == "POST":
        return _keep_choice(request, upload)
    if not upload.date_order:
        return render(request, "patients/import_dates.html", {"upload": upload, "question": DateQuestion.of(upload)})
    counts = services.counts_of(upload)
    state = request.GET.get("show", "")
    rows = upload.rows.filter(state=state) if state in RowState.values else upload.rows.all()
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    note_named(named_by(page.object_list), by=request.user)
    context = {
        "upload": upload,
        "counts": counts,
        "filters": filters_of(counts, state),
        "state": state if state in RowState.values else "all",
        "page": page,
        "rows": shown_rows(page.object_list),
        "shown": ",".join(str(row.line) for row in page.object_list),
    }
    return render(request, "patients/import_preview.html", context)


def _keep_choice(request, upload: PatientImport):
    """What is ticked on this page is kept with each press, whatever it leads to."""
    if order := request.POST.get("date_order"):
        try:
            services.say_date_order(upload=upload, order=order, by=request.user)
        except RuleViolation as refused:
            messages.error(request, refused.problems[0].message)
        return redirect(upload)
    form = PageChoiceForm(request.POST)
    if not form.is_valid():
        return redirect(upload)
    services.choose_rows(upload, shown=form.lines(), chosen=form.chosen())
    if "register" in request.POST:
        return _register(request, upload)
    if "all" in request.POST or "none" in request.POST:
        services.choose_all(upload, chosen="all" in request.POST)
    show, _, page = (form.cleaned_data["go"] or "all:1").partition(":")
    return redirect(f"{upload.get_absolute_url()}?show={show}&page={page}#rows")


def _register(request, upload: PatientImport):
    if not services.counts_of(upload)["chosen"]:
        messages.error(request, "No row is ticked: nothing was registered.")
        return redirect(upload)
    services.register_chosen(upload=upload, by=request.user)
    return redirect("patients:import-result", upload.public_id)


@requires(Permission.IMPORT_PATIENTS)
@require_POST
def import_go_on(request, import_id):
    """The next rows of a sheet that takes longer than one request."""
    upload = own_import(request, import_id)
    if upload.state == ImportState.RUNNING:
        services.register_chosen(upload=upload, by=request.user)
    return redirect("patients:import-result", upload.public_id)


@requires(Permission.IMPORT_PATIENTS)
@require_GET
def import_result(request, import_id):
    upload = own_import(request, import_id)
    if upload.state == ImportState.OPEN:
        return redirect(upload)
    counts = services.counts_of(upload)
    if upload.state == ImportState.RUNNING:
        return render(request, "patients/import_running.html", {"upload": upload, "counts": counts})
    left = upload.rows.exclude(state=RowState.DONE)
    page = Paginator(upload.rows.filter(state=RowState.DONE), ROWS_A_PAGE).get_page(request.GET.get("page"))
    note_named(named_by(left[:ROWS_A_PAGE]), by=request.user)
    context = {
        "upload": upload,
        "counts": counts,
        "left": left.count(),
        "refused": shown_rows(left[:ROWS_A_PAGE]),
        "page": page,
        "registered": registered_patients(page.object_list, request.user),
    }
    return render(request, "patients/import_result.html", context)


@requires(Permission.IMPORT_PATIENTS)
@require_GET
def import_refused_csv(request, import_id):
    """The rows that were not registered, as they were uploaded, with what is wrong: to correct and upload again."""
    upload = own_import(request, import_id)
    services.note_download(upload=upload, by=request.user)
    note_named(named_by(upload.rows.exclude(state=RowState.DONE)), by=request.user)
    names = [column for _, column in upload.headings if column]
    headings = [*(BY_NAME[name].heading for name in names), "Line", "Why not"]
    return csv_response(csv_lines(headings, refused_lines(upload, names)), "patients-not-registered.csv")


@requires(Permission.IMPORT_PATIENTS)
@require_POST
def import_discard(request, import_id):
    services.forget_import(upload=own_import(request, import_id), by=request.user)
    messages.success(request, "The sheet is erased. Whoever was registered from it stays.")
    return redirect(reverse("patients:import-upload"))
