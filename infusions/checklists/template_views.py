"""The versions of the questions, to be read: the one in use, all of them, and what each changed."""

from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission, has_permission
from infusions.checklists.template_queries import changes_since_before, open_draft, ordered_items, versions
from infusions.checklists.template_words import rows_by_section
from infusions.facility.queries import current_site


def version_context(request, template) -> dict:
    before, changes = changes_since_before(template)
    may_edit = has_permission(request.user, Permission.EDIT_CHECKLIST_TEMPLATE)
    return {
        "template": template,
        "sections": rows_by_section(ordered_items(template)),
        "before": before,
        "changes": changes,
        "may_edit": may_edit,
        "draft": open_draft() if may_edit else None,
        "site": current_site(request),
    }


@requires(Permission.EDIT_CHECKLIST_TEMPLATE)
@require_safe
def template_detail(request):
    """The questions in use, with limits, severities and sources."""
    template = get_object_or_404(versions(), is_active=True)
    return render(request, "infusions/checklists/template_detail.html", version_context(request, template))


@requires(Permission.EDIT_CHECKLIST_TEMPLATE)
@require_safe
def version_list(request):
    context = {"versions": versions(), "draft": open_draft(), "site": current_site(request)}
    return render(request, "infusions/checklists/version_list.html", context)


@requires(Permission.EDIT_CHECKLIST_TEMPLATE, Permission.VIEW_DOSE)
@require_safe
def version_detail(request, template_id):
    """Any published version: who reads a check may read what was asked."""
    template = get_object_or_404(versions().exclude(published_at=None), public_id=template_id)
    return render(request, "infusions/checklists/template_detail.html", version_context(request, template))
