from django.contrib import admin

from infusion_center.audit import services as audit
from infusion_center.core.admin import ReadOnlyAdmin, ReadOnlyInline, row_or_404
from infusions.orders.models import InfusionOrder, OrderEvent, Signature


class SignatureInline(ReadOnlyInline):
    model = Signature


class OrderEventInline(ReadOnlyInline):
    model = OrderEvent


@admin.register(InfusionOrder)
class InfusionOrderAdmin(ReadOnlyAdmin):
    list_display = ["public_id", "patient", "product", "indication", "status", "valid_until"]
    list_filter = ["status", "regimen"]
    list_select_related = ["patient", "product", "indication"]
    inlines = [SignatureInline, OrderEventInline]

    def note_opening(self, request, object_id: str) -> None:
        visible = InfusionOrder.objects.visible_to(request.user).select_related("patient")
        order = row_or_404(visible, object_id)
        audit.record_opening(order, by=request.user, patient=order.patient, what="admin")
