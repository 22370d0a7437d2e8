from django.conf import settings

from infusion_center.audit.context import Origin, current_origin, origin
from infusion_center.audit.devices import device_of
from infusion_center.audit.macs import plain_address
from infusion_center.audit.page_events import note_page


def client_address(request) -> str | None:
    """Whom the proxies in front saw, as many as the settings trust; without any, who is connected to us."""
    trusted = getattr(settings, "ALLAUTH_TRUSTED_PROXY_COUNT", 0)
    chain = request.headers.get("X-Forwarded-For", "").split(",")
    seen = chain[-trusted].strip() if trusted and len(chain) >= trusted else ""
    return plain_address(seen or request.META.get("REMOTE_ADDR", ""))


class AuditContextMiddleware:
    """Lets audit rows say from where, without handing the request through every service."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        token = current_origin.set(Origin(address=client_address(request)))
        try:
            response = self.get_response(request)
            note_page(request, response)
            return response
        finally:
            current_origin.reset(token)

    def process_view(self, request, view, args, kwargs):
        # The route, not the path: paths of public links hold their secret. Here all middleware knows the shared tablet.
        here = origin()
        here.path, here.device = request.resolver_match.route[:200], device_of(request)
