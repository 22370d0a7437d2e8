"""What the application is made of. Driven by the environment; conf/ holds its parts: sign-in, web, jobs ..."""

import sys
from pathlib import Path

import bootstrap_wrapper
from django.core.exceptions import ImproperlyConfigured

from infusion_center.conf.audit import *  # noqa: F403
from infusion_center.conf.backups import *  # noqa: F403
from infusion_center.conf.base import *  # noqa: F403
from infusion_center.conf.base import BASE_DIR, DEBUG, VAR_DIR, env
from infusion_center.conf.jobs import *  # noqa: F403
from infusion_center.conf.logs import *  # noqa: F403
from infusion_center.conf.sign_in import *  # noqa: F403
from infusion_center.conf.web import *  # noqa: F403
from infusion_center.mail_provider import anymail_settings, provider_backend

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
    "allauth.mfa",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "lucide",
    "phonenumber_field",
    "csp",
    "django_guid",
    "anymail",
]

MIDDLEWARE = [
    "infusion_center.core.request_log.CallersIdMiddleware",
    "django_guid.middleware.guid_middleware",
    "infusion_center.core.request_log.RequestLogMiddleware",
    # What browsers are told comes before static files: those are answers too.
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "infusion_center.core.middleware.BrowserRulesMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
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
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "infusion_center.accounts.session_middleware.DeskSessionMiddleware",
    "infusion_center.accounts.session_middleware.SecondFactorMiddleware",
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
    # A machine that is switched off answers nothing at all: without an end each page would wait for minutes.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
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

if not DEBUG and any("runserver" in word for word in sys.argv[1:2]):
    raise ImproperlyConfigured("Serve with gunicorn (make run); runserver is for DEBUG=true only.")

# It holds the database, mails and backups: nobody else on the machine may look in.
VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
