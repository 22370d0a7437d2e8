"""One settings file, driven by the environment; refuses to start insecurely when DEBUG is off."""

import datetime as dt
import sys
from pathlib import Path

import bootstrap_wrapper
from celery.schedules import schedule
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import Env

from infusion_center.mail_provider import anymail_settings, provider_backend

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = Env()
if env.bool("READ_DOT_ENV", True):
    env.read_env(BASE_DIR / ".env", recurse=False)

DEBUG = env.bool("DEBUG", False)
DEVELOPMENT_KEY = "for-development-only-never-with-patients-0123456789abcdef"
SECRET_KEY = env.str("SECRET_KEY", DEVELOPMENT_KEY if DEBUG else "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", [])
# The address that links in mails begin with.
SITE_URL = env.str("SITE_URL", "").rstrip("/") or f"http://127.0.0.1:{env.str('PORT', '8000')}"

if not DEBUG:
    if not SECRET_KEY or SECRET_KEY == DEVELOPMENT_KEY or len(SECRET_KEY) < 50:
        raise ImproperlyConfigured("Set SECRET_KEY to 50 or more random characters (or DEBUG=true for development).")
    if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
        raise ImproperlyConfigured("Set ALLOWED_HOSTS to the host names this application answers to.")

INSTALLED_APPS = [
    "infusion_center.core",
    "infusion_center.audit",
    "infusion_center.accounts",
    "patients",
    "infusions",
    "infusion_center.accounts.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "lucide",
    "phonenumber_field",
    "csp",
    "anymail",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "infusion_center.core.middleware.NoNulMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "infusion_center.audit.middleware.AuditContextMiddleware",
    "infusion_center.accounts.middleware.NoStoreMiddleware",
    "infusion_center.accounts.middleware.IdleLockMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "infusion_center.urls"
WSGI_APPLICATION = "infusion_center.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "infusions.context_processors.frame",
                "infusion_center.accounts.context_processors.handover",
            ],
            "builtins": ["infusions.templatetags.icons", "infusions.templatetags.infusion_tags"],
        },
    }
]

# Database. SQLite needs no server; PostgreSQL comes by DATABASE_URL.
DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{VAR_DIR / 'infusion_center.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets readers go on while one writes. IMMEDIATE takes the write lock at BEGIN: with the default, a transaction
    # that reads first and writes later fails at once when another wrote in between. FULL survives a power cut.
    # Without recursive triggers INSERT OR REPLACE would delete a row past the triggers that keep it.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
        "PRAGMA recursive_triggers=ON;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # Each choice field of a form would open a cursor of its own: three round trips instead of one.
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The cache lies in the database: all web workers count the same sign-in tries, and nobody needs Redis to sign in.
# Counts live for a minute; with the default of 300 entries a busy morning would drop others' that still count.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache_entries",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}

# People
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # a manager enters the address; nobody signs up by himself
ACCOUNT_ADAPTER = "infusion_center.accounts.adapter.StaffAdapter"
ACCOUNT_FORMS = {
    "login": "infusion_center.accounts.forms.LoginForm",
    "change_password": "infusion_center.accounts.forms.ChangePasswordForm",
    "reset_password": "infusion_center.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "infusion_center.accounts.forms.ResetPasswordKeyForm",
}
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # an address that nobody has gets no mail from us
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = False
SESSION_ENGINE = "infusion_center.accounts.lock_session"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = False  # htmx sends the token as a header, from the page's own attribute
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "infusion_center.accounts.lock_views.csrf_failure"
# Shared tablets: after how many minutes one left alone locks, and what stays when another person takes over.
LOCK_MINUTES_OF = "infusions.facility.queries.tablet_lock_minutes"
STAYS_AT_TABLET = ["site"]

# The web
HTTPS = env.bool("HTTPS", not DEBUG)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
# Monitors ask from inside, by plain http.
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if env.bool("BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # Else all people share the proxy's address: one guesser locks everybody out, and the trail says nothing of where.
    ALLAUTH_TRUSTED_PROXY_COUNT = env.int("PROXY_COUNT", 1)
# How often a patient's link, and an address, may ask: see reminders.limits.
LIMITS_PATIENT_LINKS = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
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
    }
}

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [("bootstrap", Path(bootstrap_wrapper.__file__).parent.parent / "bootstrap")]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

# Language and time. Storage is UTC; each page shows the zone of the site or of the patient.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Spanish")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
DATE_FORMAT = "j M Y"
PHONENUMBER_DEFAULT_REGION = env.str("PHONE_REGION", "US")

# Mail: without EMAIL_URL or MAIL_PROVIDER messages land in a folder that the reminders page shows.
MAIL_DIR = Path(env.str("MAIL_DIR", str(VAR_DIR / "mail")))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Appointments <appointments@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = 10
ANYMAIL = anymail_settings(env, timeout=EMAIL_TIMEOUT)
if PROVIDER_BACKEND := provider_backend(env):
    EMAIL_BACKEND = PROVIDER_BACKEND
elif env.str("EMAIL_URL", ""):
    for key, value in env.dj_email_url("EMAIL_URL").items():
        if key.isupper():
            globals()[key] = value
    EMAIL_TIMEOUT = 10
else:
    EMAIL_BACKEND = "infusion_center.core.mail_folder.FolderBackend"

# Jobs. The ledger in the database decides what is owed; Celery only wakes the planner and the sender.
CELERY_BROKER_URL = env.str("REDIS_URL", f"redis://127.0.0.1:{env.str('BROKER_PORT', '6389')}/0")
CELERY_TIMEZONE = "UTC"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 45
CELERY_TASK_TIME_LIMIT = 60
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
# What runs when the broker goes away comes to its end: a sweep killed in between would leave a mail unrecorded.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # the broker may be away for a day; the worker waits
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
# How long a claimed reminder belongs to its sender: longer than the hard time limit of the task that claimed it.
REMINDER_LEASE_SECONDS = env.int("REMINDER_LEASE_SECONDS", 120)
# How many mails one receiving domain gets a minute, from all senders together; 0: no limit.
REMINDER_DOMAIN_PER_MINUTE = env.int("REMINDER_DOMAIN_PER_MINUTE", 300)
REMINDER_SCAN_SECONDS = env.int("REMINDER_SCAN_SECONDS", 30)
TRIM_CLAIMS_SECONDS = 6 * 60 * 60
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
TASKS = "infusions.reminders.tasks"
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def every(seconds: int, task: str, *, expires: int = 0, **more) -> dict:
    return {"task": task, "schedule": schedule(seconds), "options": {"expires": expires or seconds}, **more}


# An expired wake-up is dropped: the next one does all that is due. That of the planner lasts longer, so that it is not
# always dropped while senders wake each other for a long backlog. The first beat wakes both.
CELERY_BEAT_SCHEDULE = {
    "plan-reminders": every(
        REMINDER_SCAN_SECONDS, f"{TASKS}.plan_reminders", expires=4 * REMINDER_SCAN_SECONDS, last_run_at=LONG_AGO
    ),
    "send-reminders": every(REMINDER_SCAN_SECONDS, f"{TASKS}.send_due_reminders", last_run_at=LONG_AGO),
    "trim-claims": every(TRIM_CLAIMS_SECONDS, "infusions.scheduling.tasks.trim_claims"),
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"paths": {"()": "infusion_center.core.log_filters.HideSecretsInPaths"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["paths"]}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
}

if not DEBUG and any("runserver" in word for word in sys.argv[1:2]):
    raise ImproperlyConfigured("Serve with gunicorn (make run); runserver is for DEBUG=true only.")

VAR_DIR.mkdir(exist_ok=True)
