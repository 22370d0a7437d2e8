from django.http import HttpResponse

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission


@requires(Permission.BOOK_APPOINTMENT)
def move_preview(request, appointment_id):
    return HttpResponse(status=204)
