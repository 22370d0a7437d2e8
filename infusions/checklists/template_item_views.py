"""One question of a draft: add, change with a preview, remove, move."""

from django.contrib import messages
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core.rules import RuleViolation
from infusions.checklists import template_item_services as services
from infusions.checklists.cards import Card
from infusions.checklists.models import ChecklistItem, ItemKind
from infusions.checklists.template_draft_views import on_draft, tell, to_draft
from infusions.checklists.template_forms import KIND_HINTS, ItemForm
from infusions.checklists.template_queries import last_editor, mark_of, ordered_items
from infusions.checklists.template_shapes import SHAPES
from infusions.checklists.template_words import facts_of

OVER = frozenset({"draft-gone", "already-published", "question-gone"})


def preview_of(item: ChecklistItem) -> Card:
    """The question as the tablet shows it, unanswered; what stands beside it for one patient is left out."""
    return Card(item=item, is_asked=True, answer=None, typed="", problems=())


@requires(Permission.EDIT_CHECKLIST_TEMPLATE)
@require_http_methods(["GET", "HEAD", "POST"])
@on_draft
def item_add(request, draft):
    """First the kind of the answer is chosen, then the question asked for what that kind needs."""
    kind, section = request.GET.get("kind", ""), request.GET.get("section", "")[:60]
    if kind not in ItemKind.values:
        kinds = [(choice, KIND_HINTS[choice]) for choice in ItemKind]
        return render(
            request, "infusions/checklists/item_kind.html", {"draft": draft, "section": section, "kinds": kinds}
        )
    item = ChecklistItem(template=draft, kind=kind, section=section, expected="yes" if kind == ItemKind.YES_NO else "")
    form = ItemForm(request.POST or None, item=item, items=ordered_items(draft))
    if request.method == "POST" and form.is_valid():
        fields = form.cleaned_data["fields"]
        if "preview" in request.POST:
            services.set_fields(item, fields)
        else:
            try:
                added = services.add_item(draft=draft, fields=fields, by=request.user)
            except RuleViolation as refused:
                if refused.codes & OVER:
                    return over(request, draft, refused)
                form.show_problems(refused.problems)
            else:
                messages.success(request, f"“{added.text}” is added.")
                return to_draft(draft, anchor=f"q-{added.code}")
    return render(request, "infusions/checklists/item_form.html", item_context(draft, form, item))


def item_context(draft, form, item, saved=None) -> dict:
    return {
        "draft": draft,
        "form": form,
        "item": item,
        "card": preview_of(item),
        "is_known": item.code in SHAPES,
        "saved": saved,
    }


def over(request, draft, refused):
    tell(request, refused)
    return to_draft(draft, refused)


def fetch_item(request, draft, code):
    """The question, or None where a colleague removed it: told instead of an error page."""
    item = next((one for one in ordered_items(draft) if one.code == code), None)
    if item is None:
        messages.error(request, f"That question is not in the draft any more. {last_editor(draft)} worked on it last.")
    return item


@requires(Permission.EDIT_CHECKLIST_TEMPLATE)
@require_http_methods(["GET", "HEAD", "POST"])
@on_draft
def item_amend(request, draft, code):
    item = fetch_item(request, draft, code)
    if item is None:
        return to_draft(draft)
    form, saved = ItemForm(request.POST or None, item=item, items=ordered_items(draft)), None
    if request.method == "POST" and form.is_valid():
        fields = form.cleaned_data["fields"]
        if "preview" in request.POST:
            services.set_fields(item, fields)
        else:
            try:
                services.amend_item(item=item, fields=fields, seen=form.cleaned_data["seen"], by=request.user)
            except RuleViolation as refused:
                if refused.codes & OVER:
                    return over(request, draft, refused)
                saved = show_refusal(form, refused, draft, item)
            else:
                messages.success(request, f"“{fields['text']}” is saved.")
                return to_draft(draft, anchor=f"q-{code}")
    return render(request, "infusions/checklists/item_form.html", item_context(draft, form, item, saved))


def show_refusal(form, refused, draft, item):
    """The problems beside their fields; after a colleague's change also what is saved now, to compare with."""
    form.show_problems(refused.problems)
    if "changed-meanwhile" not in refused.codes:
        return None
    form.see_again(item)
    return facts_of(item, {one.code: one for one in ordered_items(draft)})


@requires(Permission.EDIT_CHECKLIST_TEMPLATE)
@require_http_methods(["GET", "HEAD", "POST"])
@on_draft
def item_remove(request, draft, code):
    item = fetch_item(request, draft, code)
    if item is None:
        return to_draft(draft)
    if request.method == "POST":
        try:
            services.remove_item(item=item, seen=request.POST.get("seen", ""), by=request.user)
        except RuleViolation as refused:
            return over(request, draft, refused)
        messages.success(request, f"“{item.text}” is removed from the draft.")
        return to_draft(draft)
    facts = facts_of(item, {one.code: one for one in ordered_items(draft)})
    context = {"draft": draft, "item": item, "facts": facts, "seen": mark_of(item), "is_known": item.code in SHAPES}
    return render(request, "infusions/checklists/item_remove.html", context)


@requires(Permission.EDIT_CHECKLIST_TEMPLATE)
@require_POST
@on_draft
def item_move(request, draft, code):
    item = fetch_item(request, draft, code)
    if item is None:
        return to_draft(draft)
    position = request.POST.get("position", "")
    seen = int(position) if position.isascii() and position.isdigit() and len(position) < 10 else None
    try:
        services.move_item(item=item, up=request.POST.get("to") == "up", seen_position=seen, by=request.user)
    except RuleViolation as refused:
        return over(request, draft, refused)
    return to_draft(draft, anchor=f"q-{code}")
