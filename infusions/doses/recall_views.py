"""One recall: opened from a search, its patients called one by one, widened, closed."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from infusion_center.accounts.access import proof_required, requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.csv_text import csv_response
from infusion_center.core.rules import RuleViolation
from infusions.doses.lot_views import page_of, search_detail
from infusions.doses.recall_exports import download_doses
from infusions.doses.recall_forms import LONGEST_TEXT, CloseForm, ContactForm, ExtendForm, OpenForm
from infusions.doses.recall_pages import STANDINGS, Answer, answer_for, progress_of, rows_of, standings
from infusions.doses.recall_queries import was_given
from infusions.facility.models import Site
from infusions.facility.queries import current_site
from infusions.formulary.models import Product
from infusions.stock import recalls
from infusions.stock.lot_text import lots_in
from infusions.stock.models import LotRecall
from infusions.stock.recall_queries import recalls_open_first, searched_lots, stock_everywhere
from infusions.stock.recall_rules import search_problems
from patients.models import Patient


def found_recall(recall_id: str) -> LotRecall:
    return get_object_or_404(recalls_open_first(), public_id=recall_id)


def answer_of(recall: LotRecall, user) -> Answer:
    return answer_for([one.lot for one in recall.lots.all()], recall.product, user, clock.now())


@requires(Permission.MANAGE_RECALL)
@require_http_methods(["GET", "HEAD", "POST"])
def recall_open(request):
    """Says what will happen to which lots; the POST does it."""
    lots, product = asked_for(request)
    if not lots or current_site(request) is None:
        return redirect("doses:lot-search")
    answer = answer_for(lots, product, request.user, clock.now())
    if product is None and len(answer.products) == 1:
        product = answer.products[0]
    form = OpenForm(request.POST or None, initial={"lots": "\n".join(lots), "product": product and product.key})
    if form.is_bound and form.is_valid():
        try:
            recall = recalls.open_recall(by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, "The recall is open. Its lots are refused at every chair from now on.")
            return redirect("doses:recall-detail", recall.public_id)
    aside = stock_everywhere(lots, product) if product is not None else None
    context = {"form": form, "lots": lots, "product": product, "answer": answer, "aside": aside}
    return render(request, "infusions/doses/recall_open.html", context)


def asked_for(request) -> tuple[list[str], Product | None]:
    """Whole lots and product as a search or the form itself names them."""
    text = request.POST.get("lots", "") or request.GET.get("lot", "").replace(",", "\n")
    key = request.POST.get("product") or request.GET.get("product") or ""
    product = Product.objects.filter(key=key).first() if key.isprintable() else None
    wanted = lots_in(text[:LONGEST_TEXT])
    return ([] if search_problems(wanted) else searched_lots(wanted, product).lots), product


@requires(Permission.VIEW_RECALL)
@require_safe
def recall_detail(request, recall_id):
    recall = found_recall(recall_id)
    if current_site(request) is None:
        return render(request, "infusions/facility/no_site.html")
    answer = answer_of(recall, request.user)
    context = patients_context(request, recall, answer)
    audit.record("recall.list_opened", recall, by=request.user, **search_detail(answer))
    audit.record_openings([row.patient for row in context["rows"]], by=request.user, what="doses of a lot")
    return render(request, "infusions/doses/recall_detail.html", context)


def patients_context(request, recall: LotRecall, answer: Answer) -> dict:
    """`?show=`: only patients who stand so."""
    where = standings(answer.doses.patient_ids, recall)
    show = request.GET.get("show", "")
    show = show if show in STANDINGS else ""
    page = page_of(request, [pk for pk, standing in where.items() if not show or standing == show])
    permissions = request.user.permissions
    return {
        "recall": recall,
        "answer": answer,
        "unknown": [],
        "page": page,
        "rows": rows_of(answer, list(page), recall),
        "progress": progress_of(where),
        "show": show,
        "may_note": bool({Permission.MANAGE_RECALL, Permission.INFUSE} & permissions),
        "now": clock.now(),
    }


@requires(Permission.VIEW_RECALL)
@proof_required(download=True)
@require_safe
def recall_csv(request, recall_id):
    recall = found_recall(recall_id)
    lines = download_doses(answer=answer_of(recall, request.user), by=request.user, recall=recall)
    return csv_response(lines, f"recall-{recall.public_id}.csv")


@requires(Permission.MANAGE_RECALL, Permission.INFUSE)
@require_POST
def contact_note(request, recall_id, patient_id):
    """One press: the list comes back as a fragment, or as the page where it was."""
    recall = found_recall(recall_id)
    patient = get_object_or_404(Patient.objects.visible_to(request.user), public_id=patient_id)
    if not was_given(patient, recall, Site.objects.visible_to(request.user)):
        raise Http404
    form = ContactForm(request.POST)
    noted = None
    if form.is_valid():
        noted = recalls.note_contact(recall=recall, patient=patient, by=request.user, **form.cleaned_data)
    if request.htmx:
        context = patients_context(request, recall, answer_of(recall, request.user)) | {"noted": noted}
        return render(request, "infusions/doses/_recall_patients.html", context)
    if noted is not None:
        messages.success(request, f"{patient.name}: {noted.get_status_display()}.")
    else:
        messages.error(request, "Nothing was noted: the note may be at most 200 characters long.")
    return redirect(f"{reverse('doses:recall-detail', args=[recall.public_id])}?{request.GET.urlencode()}")


@requires(Permission.MANAGE_RECALL)
@require_http_methods(["GET", "HEAD", "POST"])
def recall_extend(request, recall_id):
    recall = found_recall(recall_id)
    text = "What is left of these lots is set aside at every site, and they are refused at every chair."
    page = {"title": "Add lots", "text": text, "verb": "Add these lots"}
    return confirm(request, recall, ExtendForm(request.POST or None), recalls.extend_recall, page)


@requires(Permission.MANAGE_RECALL)
@proof_required
@require_http_methods(["GET", "HEAD", "POST"])
def recall_close(request, recall_id):
    recall = found_recall(recall_id)
    progress = progress_of(standings(answer_of(recall, request.user).doses.patient_ids, recall))
    text = (
        f"{progress.told} of {progress.patients} patients of your sites are told. The lots may be given again; vials "
        "set aside stay so until somebody releases or discards them."
    )
    page = {"title": "Close this recall?", "text": text, "verb": "Close the recall"}
    return confirm(request, recall, CloseForm(request.POST or None), recalls.close_recall, page)


def confirm(request, recall: LotRecall, form, service, page: dict):
    if form.is_bound and form.is_valid():
        try:
            service(recall=recall, by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            return redirect("doses:recall-detail", recall.public_id)
    return render(request, "infusions/doses/recall_confirm.html", {"recall": recall, "form": form, **page})
