"""What every frame needs: the site in use and the person's permissions."""

from infusion_center.accounts.roles import Role
from infusion_center.core import clock
from infusions.facility.queries import current_site


def frame(request):
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    site = current_site(request)
    return {
        "frame_site": site,
        "frame_sites": request._visible_sites,
        "frame_permissions": {permission.name for permission in user.permissions},
        "frame_roles": [role.label for role in Role if role in user.roles],
        "frame_now": clock.now(),
    }
