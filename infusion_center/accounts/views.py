from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse

from infusion_center.accounts.access import signed_in
from infusion_center.accounts.roles import Permission


@signed_in(reason="everybody starts at home; it leads only to what the role may open")
def home(request):
    """The day board is where the day starts."""
    if Permission.VIEW_SCHEDULE in request.user.permissions:
        try:
            return redirect(reverse("scheduling:board"))
        except NoReverseMatch:
            pass
    return render(request, "accounts/home.html")
