from django.contrib import admin

from infusion_center.audit.access import reach_of
from infusion_center.audit.models import AuditEvent
from infusion_center.core.admin import ReadOnlyAdmin


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor_name", "action", "target_type", "target_name"]
    date_hierarchy = "at"
    list_filter = ["target_type"]

    def get_queryset(self, request):
        return super().get_queryset(request).filter(reach_of(request.user).condition())
