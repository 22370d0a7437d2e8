"""Through which device: the shared tablet by its name, else browser and system, in words of our own.

Of what a browser says of itself only known words and a version are taken, so nothing that it says can do harm.
"""

from __future__ import annotations

import re

# The first that fits: most browsers also name those that they are like.
BROWSERS = (
    ("Edge", re.compile(r"\bEdg(?:e|A|iOS)?/(\d{1,4})")),
    ("Opera", re.compile(r"\bOPR/(\d{1,4})")),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/(\d{1,4})")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/(\d{1,4})")),
    ("Chrome", re.compile(r"\b(?:Headless)?(?:Chrome|CriOS|Chromium)/(\d{1,4})")),
    ("Safari", re.compile(r"\bVersion/(\d{1,4})[^ ]* (?:Mobile/\w{1,12} )?Safari/")),
    ("curl", re.compile(r"^curl/(\d{1,4})")),
    ("Python", re.compile(r"^python-[a-z]{1,12}/(\d{1,4})")),
)
SYSTEMS = (
    ("iPad", "iPad"), ("iPhone", "iPhone"), ("Android", "Android"), ("Windows", "Windows"),
    ("CrOS", "ChromeOS"), ("Macintosh", "macOS"), ("Linux", "Linux"),
)  # fmt: skip
READ = 400
LONGEST = 80


def device_of(request) -> str:
    tablet = getattr(request, "shared_tablet", None)
    if tablet is not None:
        return f"{tablet} ({tablet.public_id})"[-LONGEST:]
    return read_user_agent(request.headers.get("User-Agent", ""))


def read_user_agent(text: str) -> str:
    """Firefox 128, Windows; empty where nothing was said."""
    text = text[:READ]
    if not text.strip():
        return ""
    found = ((name, pattern.search(text)) for name, pattern in BROWSERS)
    browser = next((f"{name} {match[1]}" for name, match in found if match), "Other browser")
    system = next((name for word, name in SYSTEMS if word in text), "")
    return f"{browser}, {system}" if system else browser
