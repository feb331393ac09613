"""Settings: one file, driven by the environment, safe by default. Each variable is documented in docs/settings.md."""

from __future__ import annotations

import ipaddress
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import Env

from portal import embedded

BASE_DIR = Path(__file__).resolve().parent.parent

# A command typed in another shell reaches the servers that `make demo` started.
if "DATABASE_URL" not in os.environ:
    for _name, _value in embedded.remembered().items():
        os.environ.setdefault(_name, _value)

env = Env()


def required(name: str, why: str) -> str:
    value: str = env.str(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {why} Start `make demo`, or set it (docs/settings.md).")
    return value


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# --- Where we are -----------------------------------------------------------------------------------------------
BASE_URL: str = env.str("BASE_URL", "http://localhost:8000").rstrip("/")
_base = urlsplit(BASE_URL)
ON_LOOPBACK = is_loopback(_base.hostname or "")
SECURE = _base.scheme == "https"
if not _base.hostname or not (SECURE or ON_LOOPBACK):
    raise ImproperlyConfigured("BASE_URL must begin with https:// unless it is on this machine.")

SECRET_KEY = required("SECRET_KEY", "it signs sessions and seals stored secrets.")
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
if any(len(key) < 32 for key in (SECRET_KEY, *SECRET_KEY_FALLBACKS)):
    raise ImproperlyConfigured("SECRET_KEY or one of its fallbacks is too short: 32 random characters at least.")

DEBUG = False
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", [_base.hostname or "localhost"])
if "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS may not be *: name the hosts that this portal answers to.")

DEMO: bool = env.bool("DEMO", False)
DEMO_IDP_URL: str = env.str("DEMO_IDP_URL", "")
DEMO_DIRECTORY = Path(env.str("DEMO_DIRECTORY", str(BASE_DIR / "var")))
ALLOW_LOOPBACK_IDP: bool = env.bool("ALLOW_LOOPBACK_IDP", False)
STAFF_SECOND_FACTOR: bool = env.bool("STAFF_SECOND_FACTOR", True)
for _dangerous, _name in (
    (DEMO, "DEMO"),
    (ALLOW_LOOPBACK_IDP, "ALLOW_LOOPBACK_IDP"),
    (not STAFF_SECOND_FACTOR, "STAFF_SECOND_FACTOR=0"),
):
    if _dangerous and not ON_LOOPBACK:
        raise ImproperlyConfigured(f"{_name} is for a portal on this machine only, and BASE_URL is {BASE_URL}.")

# --- Applications -----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "portal.core",
    "portal.audit",
    "portal.organisations",
    "portal.people",
    "portal.cohorts",
    "portal.enrolments",
    "sso",
    "imports",
    "portal.progress",
    "portal.waves",
    "portal.reports",
    "portal.dashboards",
    "portal.api",
    "portal.demo",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "anymail",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.people.middleware.SessionStillValid",
    "portal.people.middleware.OwnAccountOnly",
    "portal.people.middleware.SecondFactor",
    "portal.people.middleware.PrivatePages",
    "portal.core.middleware.RefusalPages",
    "sso.middleware.CompanyDoor",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.people.context.surroundings",
            ],
        },
    }
]

# --- Databases: two roles, two aliases (docs/tenancy.md) ----------------------------------------------------------
DATABASES: dict[str, Any] = {
    "default": env.dj_db_url("DATABASE_URL", required("DATABASE_URL", "the portal keeps its data in PostgreSQL."))
}
if env.str("DATABASE_OWNER_URL", ""):
    DATABASES["owner"] = env.dj_db_url("DATABASE_OWNER_URL")
    DATABASES["default"]["TEST"] = {"MIRROR": "owner"}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_KEEP_SECONDS", 60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASE_ROUTERS = ["portal.core.routers.OwnerMigrates"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Broker, cache, storage, mail ---------------------------------------------------------------------------------
REDIS_URL = required("REDIS_URL", "the workers are reached through Redis or Valkey.")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

_storage = urlsplit(env.str("STORAGE_URL", (BASE_DIR / "var" / "storage").as_uri()))
if _storage.scheme != "file":
    raise ImproperlyConfigured("STORAGE_URL must be a file:// address of a private folder.")
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": unquote(_storage.path),
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
_email = urlsplit(env.str("EMAIL_URL", "console:"))
MAIL_PROVIDER: str = _email.scheme.partition("+")[2] if _email.scheme.startswith("anymail+") else ""
MAIL_WEBHOOK_SECRETS: list[str] = env.list("MAIL_WEBHOOK_SECRET", [])
if MAIL_PROVIDER:
    if not MAIL_PROVIDER.isidentifier() or find_spec(f"anymail.backends.{MAIL_PROVIDER}") is None:
        raise ImproperlyConfigured(f"EMAIL_URL names {MAIL_PROVIDER}, which is no provider of django-anymail.")
    EMAIL_BACKEND = f"anymail.backends.{MAIL_PROVIDER}.EmailBackend"
    if any(len(secret.partition(":")[2]) < 16 for secret in MAIL_WEBHOOK_SECRETS) or not MAIL_WEBHOOK_SECRETS:
        raise ImproperlyConfigured(
            f"EMAIL_URL names {MAIL_PROVIDER}, and MAIL_WEBHOOK_SECRET is not set: name:password, 16 characters at"
            " least, with which the provider reports what became of each mail."
        )
else:
    globals().update(env.dj_email_url("EMAIL_URL", "console:"))
ANYMAIL: dict[str, Any] = {
    **{f"{MAIL_PROVIDER}_{name}".upper(): value for name, value in parse_qsl(_email.query) if MAIL_PROVIDER},
    "WEBHOOK_SECRET": MAIL_WEBHOOK_SECRETS,
    # A provider that cannot say whether it tracks is not asked to: who opened a mail is nobody's business.
    "IGNORE_UNSUPPORTED_FEATURES": True,
    "SEND_DEFAULTS": {"track_opens": False, "track_clicks": False},
    "REQUESTS_TIMEOUT": env.int("EMAIL_TIMEOUT", 20),
}
# A mail server that hangs holds up the others' mail no longer than this.
EMAIL_TIMEOUT: int = env.int("EMAIL_TIMEOUT", 20)
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", f"portail@{_base.hostname}")

# --- Celery (the queues and the periodic table are in portal/celery.py) --------------------------------------------
_redis = urlsplit(REDIS_URL)
_number = dict(parse_qsl(_redis.query)).get("db", "0")
_socket = f"redis+socket://{_redis.path}?virtual_host={_number}"
CELERY_BROKER_URL = _socket if _redis.scheme == "unix" else REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_connect_timeout": 3}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False

# --- Identity, sessions, cookies ----------------------------------------------------------------------------------
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "front_door"
ACCOUNT_LOGOUT_REDIRECT_URL = "front_door"
ACCOUNT_ADAPTER = "portal.people.staff_sign_in.StaffSignIn"
ACCOUNT_FORMS = {"reset_password": "portal.people.staff_sign_in.StaffPasswordReset"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}
ACCOUNT_PREVENT_ENUMERATION = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = ON_LOOPBACK
MFA_TOTP_ISSUER = "Objectif IA"

# The prefix makes the browser refuse a cookie that a neighbouring host tries to set.
_prefix = "__Host-" if SECURE else ""
SESSION_ENGINE = "portal.core.sessions"
SESSION_COOKIE_NAME = f"{_prefix}portal"
CSRF_COOKIE_NAME = f"{_prefix}csrf"
SIGN_IN_COOKIE_NAME = f"{_prefix}sign-in"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = env.int("SESSION_HOURS", 12) * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = SECURE
CSRF_FAILURE_VIEW = "portal.core.views.csrf_failure"

# --- Browser security ---------------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = SECURE and env.bool("HTTPS_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
if env.bool("BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # Otherwise the limit on failed sign-ins would count everybody as the proxy.
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- Imports ------------------------------------------------------------------------------------------------------
IMPORT_MAX_BYTES: int = env.int("IMPORT_MAX_BYTES", 200 * 1024 * 1024)
IMPORT_CHUNK_ROWS: int = env.int("IMPORT_CHUNK_ROWS", 10_000)
IMPORT_UNREAD_SECONDS: int = env.int("IMPORT_UNREAD_SECONDS", 3_600)
IMPORT_READER_BYTES: int = env.int("IMPORT_READER_BYTES", 1_500 * 1024 * 1024)
IMPORT_READER_SECONDS: int = env.int("IMPORT_READER_SECONDS", 300)
IMPORT_COPY_DAYS: int = env.int("IMPORT_COPY_DAYS", 180)
IMPORT_SILENCE_SECONDS: int = env.int("IMPORT_SILENCE_SECONDS", 30)

# --- Verified domains ---------------------------------------------------------------------------------------------
DNS_SERVERS: list[str] = env.list("DNS_SERVERS", [])

# --- Waves of invitations -----------------------------------------------------------------------------------------
WAVE_HOLD_MINUTES: int = env.int("WAVE_HOLD_MINUTES", 60)
SIGN_INS_PER_MINUTE: int = env.int("SIGN_INS_PER_MINUTE", 600)
PLATFORM_STARTS_PER_MINUTE: int = env.int("PLATFORM_STARTS_PER_MINUTE", 600)
# --- The learning platform ----------------------------------------------------------------------------------------
_drop_folder: str = env.str("PLATFORM_DROP_FOLDER", "")
PLATFORM_DROP_FOLDER = Path(_drop_folder) if _drop_folder else None

# --- Languages and static files -----------------------------------------------------------------------------------
LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = "Europe/Paris"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "portal" / "static"]
STATIC_ROOT = BASE_DIR / "var" / "static"
WHITENOISE_USE_FINDERS = True

# --- API ----------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["portal.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "portal.api.errors.answer_error",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Partner portal",
    "DESCRIPTION": "Rosters in, completions in, cohort reports out.",
    "VERSION": "1",
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
}

# --- Logs: to the standard error, without a request's body, query or person ------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "filters": {"route_for_path": {"()": "portal.core.logs.RouteForPath"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["route_for_path"]}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {"django": {"level": "WARNING"}, "django.request": {"level": "ERROR"}},
}
