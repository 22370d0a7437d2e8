"""What browsers are told: https, policies, cookies' flags; and what the proxies in front are trusted with."""

from csp.constants import NONE, SELF

from infusion_center.conf.base import DEBUG, env

HTTPS = env.bool("HTTPS", not DEBUG)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
# Monitors ask from inside, by plain http.
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if HTTPS:  # with this prefix browsers take the cookie from this very host only, for all its paths, and only by https
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
# Messages name patients: they wait in the session, not in a cookie that lies readable on the device.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # Else all people share the proxy's address: one guesser locks everybody out, and the trail says nothing of where.
    ALLAUTH_TRUSTED_PROXY_COUNT = env.int("PROXY_COUNT", 1)
# What a request may bring: forms of text, and one sheet at a time, which never touches the disk (core.uploads).
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_000
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_UPLOAD_HANDLERS = ["infusion_center.core.uploads.BoundedUploadHandler"]
# How often a patient's link, and an address, may ask: see reminders.limits.
LIMITS_PATIENT_LINKS = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "object-src": [NONE],
        "frame-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        # Bootstrap draws its checkmarks and arrows with data: images inside its own style sheet.
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
        # The one that keeps the emergency card for when the network is lost.
        "worker-src": [SELF],
        "upgrade-insecure-requests": HTTPS,
    }
}
# Abilities of browsers that pages use: the camera reads vials, a tone tells what is due, passkeys sign in.
USED = ("camera", "autoplay", "publickey-credentials-get", "publickey-credentials-create")
UNUSED = (
    *("accelerometer", "bluetooth", "browsing-topics", "clipboard-read", "clipboard-write", "display-capture"),
    *("encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "identity-credentials-get"),
    *("idle-detection", "interest-cohort", "local-fonts", "magnetometer", "microphone", "midi", "otp-credentials"),
    *("payment", "picture-in-picture", "screen-wake-lock", "serial", "storage-access", "usb", "web-share"),
    *("window-management", "xr-spatial-tracking"),
)
PERMISSIONS_POLICY = {**dict.fromkeys(USED, "self"), **dict.fromkeys(UNUSED, "none")}
