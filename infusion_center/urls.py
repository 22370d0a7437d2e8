from django.contrib import admin
from django.urls import include, path

from infusion_center.accounts import views as accounts_views

urlpatterns = [
    path("", accounts_views.home, name="home"),
    path("", include("infusion_center.accounts.tablet_urls")),
    path("accounts/", include("infusion_center.accounts.urls")),
    path("staff/", include("infusion_center.accounts.staff_urls")),
    path("", include("infusion_center.audit.urls")),
    path("admin/", admin.site.urls),
    path("", include("patients.urls")),
    path("", include("infusions.urls")),
]

handler500 = "infusion_center.core.error_views.server_error"
