class NoStoreMiddleware:
    """Pages for signed-in people are never kept by the browser or a proxy: a shared tablet's back button shows none."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if getattr(request, "user", None) is not None and request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
