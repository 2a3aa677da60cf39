"""Django's settings. What an installation may change comes from the environment (`env.KNOWN`)."""

import hashlib
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
import django_stubs_ext
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from pregon.settings.env import Environment, kept_secret

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parents[2]
env = Environment(os.environ)

# Where things live
PREGON_HOME = env.home
PUBLIC_URL = env.text("PREGON_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
GRAPH_URL = env.text("PREGON_GRAPH_URL", "https://graph.facebook.com").rstrip("/")
SIMULATOR_URL = env.text("PREGON_SIMULATOR_URL").rstrip("/")

# Secrets
SECRET_KEYS = env.words("PREGON_SECRET_KEY") or [env.secret("PREGON_SECRET_KEY", "secret_key")]
SECRET_KEY, *SECRET_KEY_FALLBACKS = SECRET_KEYS
INSTALLATION = hashlib.sha256(f"installation:{SECRET_KEYS[-1]}".encode()).hexdigest()[
    :10
]  # marks our own messages at Meta
SIMULATOR_APP_SECRET = kept_secret(env.home / "secrets" / "simulator_app_secret") if SIMULATOR_URL else ""
META_APP_SECRETS = [secret for secret in [*env.words("PREGON_META_APP_SECRET"), SIMULATOR_APP_SECRET] if secret]
META_VERIFY_TOKEN = env.secret("PREGON_META_VERIFY_TOKEN", "meta_verify_token")
ARRIVALS_DAYS = env.number("PREGON_ARRIVALS_DAYS", 30)

# Observation
METRICS_TOKEN = env.text("PREGON_METRICS_TOKEN")
METRICS_ADDRESS = env.private_address("PREGON_METRICS_ADDRESS")
LOG_FORMAT = env.choice("PREGON_LOG_FORMAT", "line", "json")

DEBUG = env.flag("PREGON_DEBUG")
public = urlsplit(PUBLIC_URL)
ALLOWED_HOSTS = env.words("PREGON_ALLOWED_HOSTS") or [public.hostname or "localhost", "localhost", "127.0.0.1"]
CSRF_TRUSTED_ORIGINS = [f"{public.scheme}://{public.netloc}"]
SECURE = public.scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_REFERRER_POLICY = "same-origin"
# Browsers share cookies between ports: two copies on one machine would sign each other's people out.
COPY = f"_{public.port}" if public.port else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"sessionid{COPY}", f"csrftoken{COPY}"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

INSTALLED_APPS = [
    "pregon.accounts",
    "pregon.contacts",
    "pregon.quota",
    "pregon.whatsapp",
    "pregon.sending",
    "pregon.promotions",
    "pregon.subscriptions",
    "pregon.support",
    "pregon.webhooks",
    "pregon.worker",
    "pregon.panel",
    "pregon.staff",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "procrastinate.contrib.django",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "pregon.accounts.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "pregon.urls"
WSGI_APPLICATION = "pregon.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "pregon.panel.context.shell",
            ],
        },
    },
]

# Data
DATABASES = {
    "default": dj_database_url.config(default="postgresql:///pregon", conn_max_age=600, conn_health_checks=True)
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MEDIA_ROOT = PREGON_HOME / "media"
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

# People
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "panel:home"
ACCOUNT_ADAPTER = "pregon.accounts.signup.Adapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "pregon.accounts.signup.BusinessForm"
ACCOUNT_FORMS = {
    "login": "pregon.accounts.forms.Login",
    "signup": "pregon.accounts.forms.Signup",
    "add_email": "pregon.accounts.forms.AddEmail",
    "change_password": "pregon.accounts.forms.ChangePassword",
    "set_password": "pregon.accounts.forms.SetPassword",
    "reset_password": "pregon.accounts.forms.ResetPassword",
    "reset_password_from_key": "pregon.accounts.forms.ResetPasswordKey",
    "reauthenticate": "pregon.accounts.forms.Reauthenticate",
}
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_LOGOUT_ON_GET = False
ALLAUTH_TRUSTED_PROXY_COUNT = int(SECURE)  # behind HTTPS stands a proxy of ours: people are counted, not the proxy
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Pregón: "

# Words
LANGUAGE_CODE = "es"
LANGUAGES = [("es", "Español"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# Files served to browsers
STATIC_URL = "/static/"
STATIC_ROOT = PREGON_HOME / "static"
# Under a debug server and in tests the files come from their folders, without the collected manifest.
MANIFEST = env.flag("PREGON_SUPERVISED") and not DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if MANIFEST
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not MANIFEST
WHITENOISE_AUTOREFRESH = DEBUG

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Mail
mail = urlsplit(env.text("PREGON_EMAIL_URL", "file:"))
MAILERS = {"console": "console", "file": "filebased", "smtp": "smtp", "smtps": "smtp"}
if mail.scheme not in MAILERS:
    raise ImproperlyConfigured(
        f"PREGON_EMAIL_URL starts with {mail.scheme!r}; it takes smtp:, smtps:, console: or file:."
    )
EMAIL_BACKEND = f"django.core.mail.backends.{MAILERS[mail.scheme]}.EmailBackend"
EMAIL_FILE_PATH = str(PREGON_HOME / "mail")
EMAIL_HOST, EMAIL_PORT = mail.hostname or "localhost", mail.port or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(mail.username or ""), unquote(mail.password or "")
EMAIL_USE_TLS, EMAIL_USE_SSL = mail.scheme == "smtp" and mail.port == 587, mail.scheme == "smtps"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("PREGON_FROM_EMAIL", "Pregón <pregon@localhost>")

# Jobs
PROCRASTINATE_ON_APP_READY = "pregon.worker.jobs.register"

# Every line is masked (`lib.redact`). As JSON a line also has the ids that were given with it: broadcast, batch, message …
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "pregon.lib.redact.Redact"}},
    "formatters": {
        "line": {"format": "%(levelname)s %(name)s: %(message)s"},
        "json": {
            "()": "pythonjsonlogger.orjson.OrjsonFormatter",
            "fmt": ["levelname", "name", "message"],
            "rename_fields": {"levelname": "level", "name": "logger"},
            "timestamp": "time",
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["redact"]}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "procrastinate": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "uvicorn": {"handlers": [], "level": "WARNING", "propagate": True},  # it brings handlers of its own
    },
}

SILENCED_SYSTEM_CHECKS = [
    "auth.W004"
]  # the e-mail is unique by a constraint on its lower case, which the check cannot see
