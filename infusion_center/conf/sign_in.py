"""Who may sign in and how, how long a session lasts, and shared tablets."""

from infusion_center.conf.base import env

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "infusion_center.accounts.passwords.NamesOfThePlace"},
    {"NAME": "infusion_center.accounts.passwords.FewCharacters"},
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
ACCOUNT_EMAIL_NOTIFICATIONS = True  # of each change of password or second factor
# After so many failures nothing more is looked at for so long: on one account, and from one address.
LOCK_OUT_TRIES, LOCK_OUT_MINUTES = env.int("LOCK_OUT_TRIES", 5), env.int("LOCK_OUT_MINUTES", 15)
ACCOUNT_RATE_LIMITS = {"login_failed": f"30/{LOCK_OUT_MINUTES}m/ip,{LOCK_OUT_TRIES}/{LOCK_OUT_MINUTES}m/key"}
ACCOUNT_SESSION_REMEMBER = False
# How long password, passkey or second factor hold for what must be the person's own doing.
ACCOUNT_REAUTHENTICATION_TIMEOUT = env.int("PROOF_SECONDS", 300)
# Second factors. Who holds one of these roles can do nothing else before having one; "all": everybody.
MFA_REQUIRED_ROLES = env.list("MFA_REQUIRED_ROLES", ["manager", "pharmacist"])
MFA_ADAPTER = "infusion_center.accounts.factor_adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"  # a finger or PIN each time: a key that was found proves nothing
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # a manager entered the address
MFA_TOTP_TOLERANCE = 0  # allauth remembers a used code for its own half minute only
MFA_FORMS = {
    "authenticate": "infusion_center.accounts.factor_forms.AuthenticateForm",
    "reauthenticate": "infusion_center.accounts.factor_forms.ReauthenticateCodeForm",
    "activate_totp": "infusion_center.accounts.factor_forms.ActivateTOTPForm",
    "add_webauthn": "infusion_center.accounts.factor_forms.AddPasskeyForm",
    "edit_webauthn": "infusion_center.accounts.factor_forms.EditPasskeyForm",
}
SESSION_ENGINE = "infusion_center.accounts.lock_session"
# After so many minutes without a touch a desk is signed out; 0: only twelve hours after the password. Shared tablets
# have their own lock.
DESK_IDLE_MINUTES = env.int("DESK_IDLE_MINUTES", 15)
SESSION_COOKIE_AGE = 12 * 60 * 60  # and twelve hours after the password in any case: accounts.session_middleware
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True  # htmx sends the token as a header, from the page's own attribute: no script reads cookies
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "infusion_center.accounts.lock_views.csrf_failure"
# Shared tablets: after how many minutes one left alone locks, and what stays when another person takes over.
LOCK_MINUTES_OF = "infusions.facility.queries.tablet_lock_minutes"
# Whose names are the first guess for a password.
SITE_NAMES_OF = "infusions.facility.queries.site_names"
STAYS_AT_TABLET = ["site"]
