"""The site in use, its settings, hours and members."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from infusion_center.accounts.access import proof_required, requires, signed_in
from infusion_center.accounts.models import User
from infusion_center.accounts.queries import staff_of
from infusion_center.accounts.roles import Permission
from infusion_center.core.going_back import own_path
from infusion_center.core.rules import RuleViolation
from infusions.facility import services
from infusions.facility.forms import HoursForm, MemberForm
from infusions.facility.models import Site
from infusions.facility.pages import at_site, form_page
from infusions.facility.queries import SESSION_KEY
from infusions.facility.site_forms import SiteForm

SITE_TEMPLATE = "infusions/facility/site_form.html"


@signed_in(reason="everybody switches among his own sites")
@require_POST
def site_choose(request):
    site = Site.objects.visible_to(request.user).filter(public_id=request.POST.get("site", "")).first()
    if site is None:
        raise Http404
    request.session[SESSION_KEY] = site.public_id
    following = request.POST.get("next", "")
    return redirect(own_path(request, following) or "home")


@requires(Permission.MANAGE_FACILITY)
@at_site
def site_edit(request, *, site):
    form = SiteForm(request.POST or None, instance=Site.objects.get(pk=site.pk))

    def save(_):
        services.amend_site(site=site, by=request.user, **form.entered())

    done = "The site is saved."
    return form_page(request, form, save, to="facility:site-edit", done=done, template=SITE_TEMPLATE, site=site)


@requires(Permission.MANAGE_FACILITY)
def site_create(request):
    form = SiteForm(request.POST or None)

    def save(_):
        fields = form.entered()
        del fields["override_reason"]
        site = services.create_site(by=request.user, **fields)
        request.session[SESSION_KEY] = site.public_id

    done = "The site is created. Say next when it is open."
    return form_page(request, form, save, to="facility:hours-edit", done=done, template=SITE_TEMPLATE)


@requires(Permission.MANAGE_FACILITY)
@at_site
def hours_edit(request, *, site):
    form = HoursForm(request.POST or None, initial=HoursForm.initial_of(site))

    def save(data):
        reason = data["override_reason"]
        services.set_opening_hours(site=site, hours=form.hours(), by=request.user, override_reason=reason)

    return form_page(
        request,
        form,
        save,
        to="facility:hours-edit",
        done="The opening hours are saved.",
        template="infusions/facility/hours_form.html",
        site=site,
    )


@requires(Permission.MANAGE_FACILITY)
@at_site
@require_safe
def member_list(request, *, site):
    return _members(request, site, MemberForm(users=_others(request, site)))


@requires(Permission.MANAGE_FACILITY)
@proof_required
@at_site
@require_POST
def member_add(request, *, site):
    form = MemberForm(request.POST, users=_others(request, site))
    if not form.is_valid():
        return _members(request, site, form)
    services.add_member(site=site, user=form.cleaned_data["user"], by=request.user)
    messages.success(request, f"{form.cleaned_data['user']} now belongs to {site}.")
    return redirect("facility:member-list")


@requires(Permission.MANAGE_FACILITY)
@proof_required
@at_site
@require_POST
def member_remove(request, user_id, *, site):
    user = get_object_or_404(User, public_id=user_id, site_memberships__site=site)
    try:
        services.remove_member(site=site, user=user, by=request.user)
    except RuleViolation as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{user} no longer belongs to {site}.")
    return redirect("facility:member-list")


def _members(request, site, form):
    members = User.objects.filter(site_memberships__site=site).select_related("nurse").prefetch_related("role_grants")
    context = {"site": site, "members": members.order_by("-is_active", "full_name"), "form": form}
    return render(request, "infusions/facility/member_list.html", context)


def _others(request, site):
    """Staff of the manager's other sites, and those who have none yet."""
    return staff_of(request.user).filter(is_active=True).exclude(site_memberships__site=site).order_by("full_name")
