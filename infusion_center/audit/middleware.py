from infusion_center.audit.context import Origin, current_origin


class AuditContextMiddleware:
    """Lets audit rows say from where, without handing the request through every service."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        # The route, not the path: paths of public links hold their secret.
        token = current_origin.set(Origin(address=request.META.get("REMOTE_ADDR") or None))
        try:
            return self.get_response(request)
        finally:
            current_origin.reset(token)

    def process_view(self, request, view, args, kwargs):
        origin = current_origin.get()
        current_origin.set(Origin(address=origin.address, path=request.resolver_match.route[:200]))
