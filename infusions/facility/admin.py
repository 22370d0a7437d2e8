from django.contrib import admin

from infusion_center.accounts.queries import staff_of
from infusion_center.core.admin import ReadOnlyAdmin, ReadOnlyInline
from infusions.facility.models import Chair, ChairOutage, Closure, Nurse, OpeningHours, Shift, Site


class OpeningHoursInline(ReadOnlyInline):
    model = OpeningHours


class ChairOutageInline(ReadOnlyInline):
    model = ChairOutage


@admin.register(Site)
class SiteAdmin(ReadOnlyAdmin):
    list_display = ["name", "time_zone", "country", "region"]
    inlines = [OpeningHoursInline]


@admin.register(Chair)
class ChairAdmin(ReadOnlyAdmin):
    site_path = "site"
    list_display = ["name", "site", "kind", "is_active"]
    list_filter = ["site", "kind", "is_active"]
    list_select_related = ["site"]
    inlines = [ChairOutageInline]


@admin.register(Closure)
class ClosureAdmin(ReadOnlyAdmin):
    site_path = "site"
    list_display = ["reason", "site", "starts_on", "ends_on", "is_holiday"]
    list_filter = ["site", "is_holiday"]
    list_select_related = ["site"]


@admin.register(Nurse)
class NurseAdmin(ReadOnlyAdmin):
    list_display = ["user", "visits_homes", "is_active"]
    list_select_related = ["user"]

    def get_queryset(self, request):
        return super().get_queryset(request).filter(user__in=staff_of(request.user))


@admin.register(Shift)
class ShiftAdmin(ReadOnlyAdmin):
    site_path = "site"
    list_display = ["nurse", "site", "setting", "starts_at", "ends_at", "ratio"]
    list_filter = ["site", "setting"]
    list_select_related = ["nurse__user", "site"]
    date_hierarchy = "starts_at"
