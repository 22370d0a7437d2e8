from django.contrib import admin

from infusion_center.accounts.models import RoleGrant, User
from infusion_center.accounts.queries import staff_of
from infusion_center.core.admin import ReadOnlyAdmin


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ["full_name", "email", "is_active", "last_login"]
    search_fields = ["full_name", "email"]
    exclude = ["password", "user_permissions", "groups"]

    def get_queryset(self, request):
        return super().get_queryset(request).filter(pk__in=staff_of(request.user).values("pk"))


@admin.register(RoleGrant)
class RoleGrantAdmin(ReadOnlyAdmin):
    list_display = ["user", "role", "granted_at", "granted_by", "revoked_at"]
    list_select_related = ["user", "granted_by"]
    list_filter = ["role"]

    def get_queryset(self, request):
        return super().get_queryset(request).filter(user__in=staff_of(request.user))
