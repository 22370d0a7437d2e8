"""The draft of the next version: its sections and questions in order, putting it into use, throwing it away."""

from dataclasses import replace
from functools import wraps

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from infusion_center.accounts.access import proof_required, requires
from infusion_center.accounts.roles import Permission
from infusion_center.core.rules import RuleViolation
from infusions.checklists import template_item_services as item_services
from infusions.checklists import template_services as services
from infusions.checklists.models import ChecklistTemplate
from infusions.checklists.template_changes import weaker_problems
from infusions.checklists.template_forms import PublishForm, SectionForm, SeenForm
from infusions.checklists.template_queries import changes_since_before, discarded_by, open_draft, ordered_items
from infusions.checklists.template_shapes import SHAPES
from infusions.checklists.template_words import rows_by_section
from infusions.facility.queries import current_site

FIXED = "it does not change any more. Nothing was saved."


def on_draft(view):
    """Hands the draft to the view. One that a colleague discarded or put into use meanwhile is told, not an error."""

    @wraps(view)
    def found(request, template_id, **more):
        draft = ChecklistTemplate.objects.filter(public_id=template_id).first()
        if draft is not None and draft.published_at is None:
            return view(request, draft, **more)
        if draft is not None:
            messages.error(request, f"{draft.published_by or 'Somebody'} put version {draft.version} into use: {FIXED}")
            return redirect("checklists:version-detail", template_id)
        editor = discarded_by(template_id)
        if not editor:
            raise Http404
        messages.error(request, f"{editor} discarded this draft. Nothing was saved.")
        return redirect("checklists:template-detail")

    return found


def tell(request, refused: RuleViolation) -> None:
    for problem in refused.problems:
        messages.error(request, f"{problem.message} {problem.remedy}".strip())


def to_draft(draft, refused: RuleViolation | None = None, anchor: str = ""):
    """Back to the draft; where it is gone or in use meanwhile, to the questions in use."""
    if refused is not None and refused.codes & {"draft-gone", "already-published"}:
        return redirect("checklists:template-detail")
    return redirect(reverse("checklists:draft-detail", args=[draft.public_id]) + (f"#{anchor}" if anchor else ""))


@requires(Permission.EDIT_CHECKLIST_TEMPLATE)
@require_POST
def draft_start(request):
    try:
        draft = services.start_draft(by=request.user)
    except RuleViolation as refused:
        tell(request, refused)
        draft = open_draft()
    return to_draft(draft) if draft else redirect("checklists:version-list")


@requires(Permission.EDIT_CHECKLIST_TEMPLATE)
@require_safe
@on_draft
def draft_detail(request, draft):
    items = ordered_items(draft)
    before, changes = changes_since_before(draft)
    touched = {item.code: "new" for item in changes.added} | {
        change.item.code: "changed" if change.fields else "moved" for change in changes.changed
    }
    context = {
        "draft": draft,
        "sections": rows_by_section(items, touched),
        "before": before,
        "needed": SHAPES,
        "problems": linked(draft, services.publishing_problems(draft)) if changes else [],
        "site": current_site(request),
    }
    return render(request, "infusions/checklists/draft_detail.html", context)


def linked(draft, problems):
    """Each problem leads to the question that it speaks of."""
    return [
        replace(
            problem,
            url=reverse("checklists:item-amend", args=[draft.public_id, problem.field]) if problem.field else "",
            remedy=problem.remedy or ("Change the question" if problem.field else ""),
        )
        for problem in problems
    ]


@requires(Permission.EDIT_CHECKLIST_TEMPLATE)
@proof_required
@require_http_methods(["GET", "HEAD", "POST"])
@on_draft
def draft_publish(request, draft):
    """What would change, what stands against it, and the note that stays with the version."""
    form = PublishForm(request.POST or None, initial={"seen_at": draft.updated_at.isoformat()})
    if request.method == "POST" and form.is_valid():
        try:
            services.publish_draft(draft=draft, by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            if refused.codes & {"draft-gone", "already-published"}:
                tell(request, refused)
                return to_draft(draft, refused)
            form.show_problems(p for p in refused.problems if p.code in ("changed-meanwhile", "note-missing"))
            form.see_again(draft)
        else:
            messages.success(request, f"Version {draft.version} is in use: every check begun from now on asks it.")
            return redirect("checklists:template-detail")
    return render(request, "infusions/checklists/draft_publish.html", publish_context(draft, form))


def publish_context(draft, form) -> dict:
    before, changes = changes_since_before(draft)
    problems = services.publishing_problems(draft)
    weaker = weaker_problems(ordered_items(before), ordered_items(draft)) if before else []
    return {
        "draft": draft,
        "form": form,
        "before": before,
        "changes": changes,
        "problems": linked(draft, problems),
        "weaker": weaker,
        "is_ready": not problems,
    }


@requires(Permission.EDIT_CHECKLIST_TEMPLATE)
@require_http_methods(["GET", "HEAD", "POST"])
@on_draft
def draft_discard(request, draft):
    form = SeenForm(request.POST or None, initial={"seen_at": draft.updated_at.isoformat()})
    if request.method == "POST" and form.is_valid():
        try:
            services.discard_draft(draft=draft, by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            if refused.codes & {"draft-gone", "already-published"}:
                tell(request, refused)
                return to_draft(draft, refused)
            form.show_problems(refused.problems)
            form.see_again(draft)
        else:
            messages.success(request, f"The draft of version {draft.version} is discarded. Nothing else changed.")
            return redirect("checklists:template-detail")
    before, changes = changes_since_before(draft)
    context = {"draft": draft, "form": form, "changes": changes, "before": before}
    return render(request, "infusions/checklists/draft_discard.html", context)


@requires(Permission.EDIT_CHECKLIST_TEMPLATE)
@require_http_methods(["GET", "HEAD", "POST"])
@on_draft
def section_amend(request, draft):
    """Another name for a section; it keeps its questions."""
    section = request.GET.get("section", "")[:60]
    form = SectionForm(request.POST or None, initial={"title": section})
    if request.method == "POST" and form.is_valid():
        try:
            item_services.rename_section(draft=draft, section=section, by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            if "section-taken" not in refused.codes:
                tell(request, refused)
                return to_draft(draft, refused)
            form.show_problems(refused.problems)
        else:
            messages.success(request, "The section has its new name.")
            return to_draft(draft)
    context = {"draft": draft, "section": section, "form": form}
    return render(request, "infusions/checklists/section_amend.html", context)


@requires(Permission.EDIT_CHECKLIST_TEMPLATE)
@require_POST
@on_draft
def section_move(request, draft):
    section, up = request.POST.get("section", "")[:60], request.POST.get("to") == "up"
    try:
        item_services.move_section(draft=draft, section=section, up=up, by=request.user)
    except RuleViolation as refused:
        tell(request, refused)
        return to_draft(draft, refused)
    return to_draft(draft, anchor=f"section-{slugify(section)}")
