"""Admin pages only show: every change goes through a service, which checks rules and leaves an audit event."""

from django.contrib import admin


class ReadOnlyAdmin(admin.ModelAdmin):
    site_path = ""  # how a row leads to its site, where its model has no door of its own

    def get_queryset(self, request):
        """Through the model's own door, where it has one: sites hold for superusers too."""
        rows = super().get_queryset(request)
        if hasattr(rows, "visible_to"):
            return rows.visible_to(request.user)
        return rows.filter(**{f"{self.site_path}__memberships__user": request.user}) if self.site_path else rows

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class ReadOnlyInline(admin.TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False
