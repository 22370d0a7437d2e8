import pytest

from infusion_center.audit.devices import LONGEST, read_user_agent

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox 128, Windows"),
        (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/131.0.0.0 Safari/537.36", "Chrome 131, Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/131.0 Safari/537.36 Edg/131.0.1", "Edge 131, Windows"),
        (f"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) {WEBKIT} Version/17.5 Mobile/15E148 Safari/604.1",
         "Safari 17, iPad"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.1 Safari/605.1.15", "Safari 18, macOS"),
        (f"Mozilla/5.0 (Linux; Android 14; SM-X200) {WEBKIT} SamsungBrowser/25.0 Chrome/121.0",
         "Samsung Internet 25, Android"),
        ("curl/8.5.0", "curl 8"),
        ("", ""),
        ("   ", ""),
        ("<script>alert(1)</script>", "Other browser"),
        ("=HYPERLINK(\"http://x\")", "Other browser"),
        ("Firefox/99999999999 Windows", "Firefox 9999, Windows"),
        ("x" * 100_000, "Other browser"),
        ("Firefox/\x00\ud800 Android", "Other browser, Android"),
    ],
)  # fmt: skip
def test_user_agents_are_read_in_our_own_words(said, read):
    assert read_user_agent(said) == read
    assert len(read_user_agent(said)) <= LONGEST
