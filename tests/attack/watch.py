"""What is wrong with one answer: an error of the server, a missing header, an echo of markup, a way out of the site."""

import re

NOBODY = "nobody"
# Nobody types this; unescaped in a page it would open a tag.
MARK = "<zq'\"x>"
ELSEWHERE = "evil.example"
ECHO = re.compile(r"<zq['\"]")
HEADERS = {
    "Content-Security-Policy": re.compile(r"default-src 'none'"),
    "X-Content-Type-Options": re.compile("^nosniff$"),
    "X-Frame-Options": re.compile("^(DENY|SAMEORIGIN)$"),
    "Referrer-Policy": re.compile("^(same-origin|no-referrer)$"),
    "Strict-Transport-Security": re.compile(r"max-age=\d{8}"),
    "Permissions-Policy": re.compile(r"geolocation=\(\)"),
    "Cross-Origin-Resource-Policy": re.compile("^same-origin$"),
    "Cross-Origin-Opener-Policy": re.compile("^same-origin$"),
}
# A monitor is told by its status that something is missing; here no broker and no worker run.
MAY_SAY_503 = re.compile(r"^/health/")
SCRIPT_IN_POLICY = re.compile(r"(script|default)-src[^;]*(unsafe-|\*|data:)")


def faults(address: str, identity: str, response, body: str) -> list[tuple[str, str]]:
    """(level, what) for each."""
    status = response.status_code
    found = []
    if status >= 500 and not (status == 503 and MAY_SAY_503.match(address)):
        found.append(("high", f"answer {status}"))
    if "Traceback (most recent call last)" in body:
        found.append(("high", "a traceback in the answer"))
    if response.headers.get("Content-Type", "").startswith("text/html") and ECHO.search(body):
        found.append(("high", "markup that was sent comes back unescaped"))
    if leads_away(response.headers.get("Location", "")):
        found.append(("high", "a redirect to another site"))
    return found + missing_headers(identity, response)


def leads_away(location: str) -> bool:
    """As a browser reads it: backslashes are slashes, spaces and control characters before it are nothing."""
    plain = re.sub(r"[\x00-\x20]", "", location).replace("\\", "/").lower()
    return plain.startswith((f"//{ELSEWHERE}", f"https://{ELSEWHERE}", f"http://{ELSEWHERE}", "javascript:"))


def missing_headers(identity: str, response) -> list[tuple[str, str]]:
    found = [
        ("medium", f"no right {name}: {response.headers.get(name)}")
        for name, right in HEADERS.items()
        if not right.search(response.headers.get(name, ""))
    ]
    if SCRIPT_IN_POLICY.search(response.headers.get("Content-Security-Policy", "")):
        found.append(("high", "the content security policy lets inline script run"))
    is_page = response.status_code == 200 and response.headers.get("Content-Type", "").startswith("text/html")
    if (
        is_page
        and identity != NOBODY
        and not re.search("no-store|no-cache|private", response.headers.get("Cache-Control", ""))
    ):
        found.append(("medium", f"the page may be kept: Cache-Control {response.headers.get('Cache-Control')}"))
    return found
