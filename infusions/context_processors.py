"""What every frame needs: the site in use and the person's permissions."""

from django.utils.functional import SimpleLazyObject

from infusion_center.accounts.roles import Role
from infusion_center.core import clock
from infusions.facility.queries import current_site


def frame(request):
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}

    def visible_sites():
        current_site(request)
        return request._visible_sites

    return {
        # Only when looked at: most fragments have no use for the sites, and they are asked for most often.
        "frame_site": SimpleLazyObject(lambda: current_site(request)),
        "frame_sites": SimpleLazyObject(visible_sites),
        "frame_permissions": {permission.name for permission in user.permissions},
        "frame_roles": [role.label for role in Role if role in user.roles],
        "frame_now": clock.now(),
    }
