"""Pages of the frame itself: the emergency card and the overview of settings."""

from django.shortcuts import render

from infusion_center.accounts.access import requires, signed_in
from infusion_center.accounts.roles import Permission
from infusions.navigation import SETTINGS, links


@signed_in(reason="whoever stands beside the patient must see what to do")
def emergency(request):
    return render(request, "infusions/frame/emergency.html")


@requires(
    Permission.MANAGE_STAFF, Permission.MANAGE_FACILITY, Permission.VIEW_AUDIT, Permission.EDIT_CHECKLIST_TEMPLATE
)
def settings_overview(request):
    return render(request, "infusions/frame/settings.html", {"links": list(links(SETTINGS, request.user.permissions))})
