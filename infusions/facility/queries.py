"""Reads about sites: the one in use, the ones a person may see."""

from infusions.facility.models import Site

SESSION_KEY = "site"


def current_site(request) -> Site | None:
    """The site that the person last chose, else the first of his sites; always one that he may see."""
    if not hasattr(request, "_current_site"):
        sites = list(Site.objects.visible_to(request.user))
        chosen = request.session.get(SESSION_KEY)
        request._current_site = next((s for s in sites if s.public_id == chosen), sites[0] if sites else None)
        request._visible_sites = sites
    return request._current_site
