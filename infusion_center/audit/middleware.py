from ipaddress import ip_address

from django.conf import settings

from infusion_center.audit.context import Origin, current_origin


def client_address(request) -> str | None:
    """Whom the proxies in front saw, as many as the settings trust; without any, who is connected to us."""
    trusted = getattr(settings, "ALLAUTH_TRUSTED_PROXY_COUNT", 0)
    chain = request.headers.get("X-Forwarded-For", "").split(",")
    seen = chain[-trusted].strip() if trusted and len(chain) >= trusted else ""
    try:
        return str(ip_address(seen or request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None


class AuditContextMiddleware:
    """Lets audit rows say from where, without handing the request through every service."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        token = current_origin.set(Origin(address=client_address(request)))
        try:
            return self.get_response(request)
        finally:
            current_origin.reset(token)

    def process_view(self, request, view, args, kwargs):
        # The route, not the path: paths of public links hold their secret.
        origin = current_origin.get()
        current_origin.set(Origin(address=origin.address, path=request.resolver_match.route[:200]))
