"""Who was given a lot: the search that answers a recall notice, and its answer as a file."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from infusion_center.accounts.access import proof_required, requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.csv_text import csv_response
from infusions.doses.recall_exports import download_doses
from infusions.doses.recall_forms import LotForm
from infusions.doses.recall_pages import Answer, answer_for, recall_list, rows_of
from infusions.facility.queries import current_site
from infusions.stock.recall_queries import open_recalls, searched_lots
from infusions.stock.recall_rules import matched_problems

PAGE, ON_ONE_PAGE = 50, 5000
# Servers refuse longer addresses; the search must stand in one, so that it can be kept, reloaded and paged.
LONGEST_ADDRESS = 3500


@requires(Permission.VIEW_RECALL)
@require_http_methods(["GET", "HEAD", "POST"])
def lot_search(request):
    """Whatever was pasted is sent by POST and becomes a short address; without a search, the recalls."""
    if current_site(request) is None:
        return render(request, "infusions/facility/no_site.html")
    if request.method == "POST":
        form = LotForm(request.POST)
        if form.is_valid() and (address := search_address(form)):
            return redirect(address)
        return render(request, "infusions/doses/lot_search.html", {"form": form})
    form = read_form(request)
    answer, unknown = answer_to(form, request.user) if form.is_bound and form.is_valid() else (None, [])
    if answer is None:
        context = {"form": form, "recalls": None if form.is_bound else recall_list(request.user)}
        return render(request, "infusions/doses/lot_search.html", context)
    page = page_of(request, answer.doses.patient_ids)
    rows = rows_of(answer, list(page))
    audit.record("recall.searched", request.user, by=request.user, **search_detail(answer))
    audit.record_openings([row.patient for row in rows], by=request.user, what="doses of a lot")
    context = {
        "form": form,
        "answer": answer,
        "unknown": unknown,
        "page": page,
        "rows": rows,
        "now": clock.now(),
        "recalls_of_these": open_recalls(answer.products, answer.lots),
        "query": query_of(answer.lots, answer.product),
    }
    return render(request, "infusions/doses/lot_search.html", context)


@requires(Permission.VIEW_RECALL)
@proof_required(download=True)
@require_safe
def lot_csv(request):
    form = read_form(request)
    answer = answer_to(form, request.user)[0] if form.is_bound and form.is_valid() else None
    if answer is None:
        return lot_search(request)
    return csv_response(download_doses(answer=answer, by=request.user), "doses-of-lots.csv")


def read_form(request) -> LotForm:
    """Unbound unless a search was asked for. Lots stand one on each line, as they were understood."""
    if "lot" not in request.GET:
        return LotForm()
    return LotForm({"lot": request.GET["lot"].replace(",", "\n"), "product": request.GET.get("product", "")})


def search_address(form: LotForm) -> str:
    """Empty, with an error on the form, if the lots do not fit into an address."""
    query = query_of(form.cleaned_data["lot"], form.cleaned_data["product"])
    address = f"{reverse('doses:lot-search')}?{query}"
    if len(address) > LONGEST_ADDRESS:
        form.add_error("lot", "Too many lots for one search: search for the first half, then for the second.")
        return ""
    return address


def query_of(lots, product) -> str:
    return urlencode({"lot": ",".join(lots)} | ({"product": product.key} if product else {}), safe=",*")


def answer_to(form: LotForm, user) -> tuple[Answer | None, list[str]]:
    """The answer and the lots that nobody here knows; None, with an error on the form, if too many match."""
    product = form.cleaned_data["product"]
    searched = searched_lots(form.cleaned_data["lot"], product)
    for problem in matched_problems(searched.lots):
        form.show_problems([problem])
        return None, []
    answer = answer_for(searched.lots, product, user, clock.now())
    return answer, [lot for lot in searched.unknown if lot not in answer.seen_lots()]


def page_of(request, patient_ids):
    """Fifty patients, or with `?all` every one, to be printed."""
    return Paginator(patient_ids, ON_ONE_PAGE if "all" in request.GET else PAGE).get_page(request.GET.get("page"))


def search_detail(answer: Answer) -> dict:
    return {
        "lots": list(answer.lots),
        "product": answer.product.key if answer.product else "",
        "sites": [site.public_id for site in answer.sites],
        "patients": len(answer.doses.patient_ids),
    }
