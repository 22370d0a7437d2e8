"""Who may sign in and how, how long a session lasts, and shared tablets."""

from infusion_center.conf.base import env

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
    "reauthenticate": "infusion_center.accounts.forms.ReauthenticateForm",
    "change_password": "infusion_center.accounts.forms.ChangePasswordForm",
    "reset_password": "infusion_center.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "infusion_center.accounts.forms.ResetPasswordKeyForm",
}
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # an address that nobody has gets no mail from us
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = False
# How long password, passkey or second factor hold for what must be the person's own doing.
ACCOUNT_REAUTHENTICATION_TIMEOUT = env.int("PROOF_SECONDS", 300)
SESSION_ENGINE = "infusion_center.accounts.lock_session"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True  # htmx sends the token as a header, from the page's own attribute: no script reads cookies
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "infusion_center.accounts.lock_views.csrf_failure"
# Shared tablets: after how many minutes one left alone locks, and what stays when another person takes over.
LOCK_MINUTES_OF = "infusions.facility.queries.tablet_lock_minutes"
STAYS_AT_TABLET = ["site"]
