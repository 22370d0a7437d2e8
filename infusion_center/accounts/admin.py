from django.contrib import admin

from infusion_center.accounts.models import RoleGrant, User
from infusion_center.core.admin import ReadOnlyAdmin


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ["full_name", "email", "is_active", "last_login"]
    search_fields = ["full_name", "email"]
    exclude = ["password", "user_permissions", "groups"]


@admin.register(RoleGrant)
class RoleGrantAdmin(ReadOnlyAdmin):
    list_display = ["user", "role", "granted_at", "granted_by", "revoked_at"]
    list_select_related = ["user", "granted_by"]
    list_filter = ["role"]
