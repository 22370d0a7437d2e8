"""The admin pages: for superusers to look things up, never to change them past the services."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, resolve_url


class SuperuserSite(admin.AdminSite):
    site_header = site_title = "Infusion center"
    index_title = "Records, to read only"
    site_url = "/"

    def has_permission(self, request):
        return request.user.is_active and request.user.is_superuser

    def login(self, request, extra_context=None):
        """One way in for everybody: the sign-in page, with its limits and its audit."""
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next", "/admin/"), resolve_url(settings.LOGIN_URL))

    def password_change(self, request, extra_context=None):
        """Likewise one page to change a password: the one whose change is recorded."""
        return redirect("account_change_password")
