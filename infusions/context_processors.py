"""What every frame needs: the site in use and the person's permissions."""

from django.utils.functional import SimpleLazyObject

from infusion_center.accounts.roles import Role
from infusion_center.core import clock
from infusions.facility.queries import current_site
from patients.reading import permissions_here


def frame(request):
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}

    def visible_sites():
        current_site(request)
        return request._visible_sites

    emergency, now = getattr(request, "emergency", None), clock.now()
    return {
        # Set by the few pages that an emergency access opens (patients.reading), which are to read only.
        "emergency": emergency,
        "emergency_minutes": emergency.minutes_left(now) if emergency else 0,
        # Only when looked at: most fragments have no use for the sites, and they are asked for most often.
        "frame_site": SimpleLazyObject(lambda: current_site(request)),
        "frame_sites": SimpleLazyObject(visible_sites),
        "frame_permissions": {permission.name for permission in permissions_here(request)},
        "frame_roles": [role.label for role in Role if role in user.roles],
        "frame_now": now,
    }
