"""What every frame needs: the site in use and the person's permissions."""

from infusion_center.core import clock
from infusions.facility.queries import current_site


def frame(request):
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "frame_site": current_site(request),
        "frame_permissions": {permission.name for permission in user.permissions},
        "frame_now": clock.now(),
    }
