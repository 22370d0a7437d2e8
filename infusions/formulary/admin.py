from django.contrib import admin

from infusion_center.core.admin import ReadOnlyAdmin, ReadOnlyInline
from infusions.formulary.models import Indication, Product, RateSchedule, RateStep, VialSize


class VialSizeInline(ReadOnlyInline):
    model = VialSize


class RateStepInline(ReadOnlyInline):
    model = RateStep


@admin.register(Product)
class ProductAdmin(ReadOnlyAdmin):
    list_display = ["label", "maker", "is_available", "signed_by", "signed_at"]
    list_filter = ["is_available", "form"]
    search_fields = ["name", "maker", "key"]
    inlines = [VialSizeInline]


@admin.register(Indication)
class IndicationAdmin(ReadOnlyAdmin):
    list_display = ["name", "code", "regimen", "max_g_per_kg_per_day"]
    list_filter = ["regimen"]


@admin.register(RateSchedule)
class RateScheduleAdmin(ReadOnlyAdmin):
    list_display = ["product", "indication", "max_mg_per_kg_per_min", "is_verified", "signed_by"]
    list_filter = ["indication"]
    list_select_related = ["product", "indication", "signed_by"]
    inlines = [RateStepInline]
