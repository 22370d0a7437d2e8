from django.contrib import admin

from infusion_center.core.admin import ReadOnlyAdmin, ReadOnlyInline
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
    search_fields = ["public_id", "patient__mrn"]
    inlines = [SignatureInline, OrderEventInline]
