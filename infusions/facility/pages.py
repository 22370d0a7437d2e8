"""What the pages of this room share: the site in use, and a form that calls one service."""

from functools import wraps

from django.contrib import messages
from django.shortcuts import redirect, render, resolve_url

from infusion_center.core.rules import RuleViolation
from infusions.facility.queries import current_site


def at_site(view):
    """Hand the site in use to the view; who belongs to none is told so."""

    @wraps(view)
    def placed(request, *args, **kwargs):
        site = current_site(request)
        if site is None:
            return render(request, "infusions/facility/no_site.html")
        return view(request, *args, site=site, **kwargs)

    return placed


def form_page(request, form, save, *, to, done, template="infusions/facility/form_page.html", **page):
    """Show the form; on a valid post `save(cleaned_data)` and go on. What a service refuses is shown in the form."""
    back = resolve_url(to)
    if request.method == "POST" and form.is_valid():
        try:
            save(form.cleaned_data)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, done)
            return redirect(back)
    return render(request, template, {"form": form, "back_url": back, **page})
