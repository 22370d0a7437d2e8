"""An order on the page that an emergency access opens too, see patients.reading."""

from django.shortcuts import get_object_or_404

from infusion_center.core import clock
from infusions.orders.models import InfusionOrder
from patients.emergency_models import emergency_where
from patients.reading import note_emergency


def readable_order(request, order_id: str) -> InfusionOrder:
    """To look at, never to act on; 404 where neither the sites nor an emergency access open it."""
    orders = InfusionOrder.objects.select_related("patient", "product", "indication")
    order = orders.visible_to(request.user).filter(public_id=order_id).first()
    if order is None:
        behind_glass = orders.filter(emergency_where(request.user, clock.now(), "patient"))
        order = get_object_or_404(behind_glass, public_id=order_id)
        note_emergency(request, order.patient)
    return order
