from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

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


@signed_in(reason="only passes on to an address of ours, which asks for its own permission")
@require_safe
def proof_download(request):
    """A file changes no page: without this one the password would still stand there while the file comes."""
    hosts, secure = {request.get_host()}, request.is_secure()
    safe = {
        name: request.GET.get(name, "")
        if url_has_allowed_host_and_scheme(request.GET.get(name, ""), hosts, require_https=secure)
        else "/"
        for name in ("next", "back")
    }
    return render(request, "accounts/proof_download.html", safe)
