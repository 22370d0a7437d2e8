"""Admin pages only show: every change goes through a service, which checks rules and leaves an audit event."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404


def row_or_404(rows: QuerySet, object_id: str) -> Model:
    """Also for what is no number at all."""
    try:
        return get_object_or_404(rows, pk=object_id)
    except ValueError:
        raise Http404 from None


class ReadOnlyAdmin(admin.ModelAdmin):
    def get_queryset(self, request):
        """Through the model's own door, where it has one: sites hold for superusers too."""
        rows = super().get_queryset(request)
        return rows.visible_to(request.user) if hasattr(rows, "visible_to") else rows

    def note_opening(self, request, object_id: str) -> None:
        """Where a row is about a patient: record that somebody looks at it, or answer 404."""

    def change_view(self, request, object_id, form_url="", extra_context=None):
        self.note_opening(request, object_id)
        return super().change_view(request, object_id, form_url, extra_context)

    def history_view(self, request, object_id, extra_context=None):
        self.note_opening(request, object_id)
        return super().history_view(request, object_id, extra_context)

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
