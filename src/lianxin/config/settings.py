"""Every setting of an installation, read once from `LIANXIN_*` environment variables.

docs/reference/settings.md says what each one means; a test holds the two together.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.utils.translation import gettext_lazy as _

from lianxin.kernel.crypto import Keyring
from lianxin.operations.jobs import numbered


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def number(name: str, default: int) -> int:
    value = os.environ.get(name, "")
    try:
        return int(value) if value else default
    except ValueError:
        raise SystemExit(f"{name}={value!r}: a whole number is needed") from None


def flag(name: str, default: bool) -> bool:
    value = os.environ.get(name, "").lower()
    if value not in ("", "0", "1", "true", "false", "yes", "no"):
        raise SystemExit(f"{name}={value!r}: use true or false")
    return default if value == "" else value in ("1", "true", "yes")


def words(name: str, default: str = "") -> list[str]:
    return [word for word in text(name, default).replace(",", " ").split() if word]


PACKAGE = Path(__file__).resolve().parents[1]
HOME = Path(text("LIANXIN_HOME", str(PACKAGE.parents[1]))).resolve()
VAR = HOME / "var"
LIANXIN_NODE_MODULES = text("LIANXIN_NODE_MODULES", str(VAR / "node" / "node_modules"))
DATA = Path(text("LIANXIN_DATA", str(VAR / "demo"))).resolve()


def kept_secret(name: str, make: Any) -> str:
    """A value made once and kept in the data directory, readable by its owner only."""
    path = DATA / name
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        DATA.mkdir(parents=True, exist_ok=True)
        value = make()
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text().strip()
        with os.fdopen(handle, "w") as file:
            file.write(value)
        return str(value)


DEBUG = flag("LIANXIN_DEBUG", False)
SECRET_KEY = text("LIANXIN_SECRET_KEY") or kept_secret("secret_key", lambda: secrets.token_urlsafe(50))
LIANXIN_KEYRING = text("LIANXIN_KEYRING", str(DATA / "keyring.json"))
Keyring.ensure(Path(LIANXIN_KEYRING))

ALLOWED_HOSTS = words("LIANXIN_ALLOWED_HOSTS", "localhost 127.0.0.1 [::1]")
CSRF_TRUSTED_ORIGINS = words("LIANXIN_TRUSTED_ORIGINS")
LIANXIN_HTTPS = flag("LIANXIN_HTTPS", False)


def database(url: str) -> dict[str, Any]:
    """Django's settings for a `postgresql://` URL; a socket directory may stand in `?host=`."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise SystemExit(f"LIANXIN_DATABASE_URL: {parts.scheme or 'nothing'}:// is not PostgreSQL")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    options: dict[str, Any] = {
        "options": "-c lock_timeout=5s -c idle_in_transaction_session_timeout=60s -c statement_timeout=60s "
        # A page's queries are short: starting helpers would take longer than they do.
        "-c max_parallel_workers_per_gather=0",
        "connect_timeout": 5,
        # Only what asks for it is prepared: the statement that writes a new case. None would forbid that, too.
        "prepare_threshold": 1_000_000,
    }
    for key in ("sslmode", "sslrootcert", "sslcert", "sslkey"):
        if key in query:
            options[key] = query[key]
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/") or "lianxin",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or query.get("host", ""),
        "PORT": str(parts.port or query.get("port", "")),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
        "TEST": {"NAME": text("LIANXIN_TEST_DATABASE") or None},
    }


def embedded_url() -> str:
    from lianxin.embedded.server import place_of

    return f"postgresql://lianxin@/lianxin?host={place_of(DATA).socket}"


LIANXIN_DATABASE_URL = text("LIANXIN_DATABASE_URL")
DATABASES = {"default": database(LIANXIN_DATABASE_URL or embedded_url())}

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django_htmx",
    "csp",
    "procrastinate.contrib.django",
    "lianxin.places",
    "lianxin.organisations",
    "lianxin.cases",
    "lianxin.fieldwork",
    "lianxin.knowledge",
    "lianxin.triage",
    "lianxin.triage.hot",
    "lianxin.quality",
    "lianxin.supervision",
    "lianxin.analysis",
    "lianxin.analysis.reports",
]
for _name in ("telephony", "patrols", "care", "linkage", "services", "publishing", "exchange", "webhooks", "transfer", "operations",
              "city", "faces", "portal", "desk", "field", "api", "live", "open311", "ogc", "demo", "bench", "docs"):
    if (PACKAGE / _name / "apps.py").exists():
        INSTALLED_APPS.append(f"lianxin.{_name}")

MIDDLEWARE = [
    "lianxin.operations.requests.Numbered",
    "lianxin.api.metrics.Measure",
    "django.middleware.security.SecurityMiddleware",
    "lianxin.api.gate.Gate",  # machines with a token need none of what follows
    "lianxin.open311.gate.Gate",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "lianxin.faces.errors.PlainFaults",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
]

ROOT_URLCONF = "lianxin.config.urls"
WSGI_APPLICATION = "lianxin.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    }
]

AUTH_USER_MODEL = "organisations.Staff"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("简体中文")), ("zh-hant", _("繁體中文")), ("en", "English")]
LOCALE_PATHS = [PACKAGE / "locale"]
TIME_ZONE = text("LIANXIN_TIME_ZONE", "Asia/Shanghai")
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [("vendor", VAR / "vendor")] if (VAR / "vendor").exists() else []
LIANXIN_STATIC_MANIFEST = not DEBUG and flag(
    "LIANXIN_STATIC_MANIFEST", (STATIC_ROOT / "staticfiles.json").exists() or "collectstatic" in sys.argv
)
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if LIANXIN_STATIC_MANIFEST
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not LIANXIN_STATIC_MANIFEST
WHITENOISE_AUTOREFRESH = not LIANXIN_STATIC_MANIFEST  # each file is looked up when it is asked for
MEDIA_ROOT = DATA / "files"
LIANXIN_FILES_S3_BUCKET = text("LIANXIN_FILES_S3_BUCKET")
if LIANXIN_FILES_S3_BUCKET:
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": LIANXIN_FILES_S3_BUCKET,
            "endpoint_url": text("LIANXIN_FILES_S3_ENDPOINT") or None,
            "region_name": text("LIANXIN_FILES_S3_REGION") or None,
            "access_key": text("LIANXIN_FILES_S3_KEY") or None,
            "secret_key": text("LIANXIN_FILES_S3_SECRET") or None,
            "location": text("LIANXIN_FILES_S3_PREFIX"),
            "file_overwrite": True,  # the name is the content's hash
            "default_acl": None,
        },
    }

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "lianxin_cache",
                "OPTIONS": {"MAX_ENTRIES": 50_000}},  # the default of 300 would forget counts of who asks how often
}
# Browsers do not tell ports apart: two installations on one host need cookies of their own.
LIANXIN_COOKIE_PREFIX = text("LIANXIN_COOKIE_PREFIX", "lianxin")
SESSION_COOKIE_NAME = f"{LIANXIN_COOKIE_PREFIX}_session"
CSRF_COOKIE_NAME = f"{LIANXIN_COOKIE_PREFIX}_csrf"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = LIANXIN_HTTPS
CSRF_COOKIE_SECURE = LIANXIN_HTTPS
SECURE_SSL_REDIRECT = LIANXIN_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked on the machine itself, without a certificate
SECURE_HSTS_SECONDS = 31_536_000 if LIANXIN_HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if flag("LIANXIN_BEHIND_PROXY", False) else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "media-src": ["'self'", "blob:"],
        "worker-src": ["'self'", "blob:"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}

LIANXIN_LIVE_URL = text("LIANXIN_LIVE_URL").rstrip("/")  # empty: this site's own address, where a proxy sends /live/ to `lianxin live`
if LIANXIN_LIVE_URL:
    _live = urlsplit(LIANXIN_LIVE_URL)
    if _live.scheme not in ("http", "https") or not _live.netloc:
        raise SystemExit(f"LIANXIN_LIVE_URL={LIANXIN_LIVE_URL!r}: an http:// or https:// address is needed")
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["connect-src"].append(f"{_live.scheme}://{_live.netloc}")

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/desk/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_RATE_LIMITS = {"login_failed": "30/m/ip,5/5m/key"}
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "lianxin.organisations.accounts.LinkTokens"
ACCOUNT_ADAPTER = "lianxin.faces.accounts.StaffAccounts"
SOCIALACCOUNT_ADAPTER = "lianxin.faces.accounts.SingleSignOn"
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_ONLY = False
_oidc = text("LIANXIN_OIDC_URL", "")
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [{
    "provider_id": "city", "name": text("LIANXIN_OIDC_NAME", "统一身份认证"),
    "client_id": text("LIANXIN_OIDC_CLIENT", ""), "secret": text("LIANXIN_OIDC_SECRET", ""),
    "settings": {"server_url": _oidc},
}] if _oidc else []}}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not LIANXIN_HTTPS

DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

LIANXIN_REQUEST_LIMIT = number("LIANXIN_REQUEST_MEGABYTES", 160) * 1024 * 1024
LIANXIN_TRUSTED_PROXIES = number("LIANXIN_TRUSTED_PROXIES", 0)
CSRF_FAILURE_VIEW = "lianxin.faces.errors.csrf_failure"

LIANXIN_SOURCE_URL = text("LIANXIN_SOURCE_URL")
LIANXIN_PAUSE_DAYS = number("LIANXIN_PAUSE_DAYS", 10)
LIANXIN_PAUSES_PER_ROUND = number("LIANXIN_PAUSES_PER_ROUND", 2)
LIANXIN_EXTENSIONS_PER_ROUND = number("LIANXIN_EXTENSIONS_PER_ROUND", 2)
LIANXIN_CALLBACK_ATTEMPTS = number("LIANXIN_CALLBACK_ATTEMPTS", 3)
LIANXIN_CALLBACK_SPREAD = number("LIANXIN_CALLBACK_SPREAD", 2)
LIANXIN_CALLBACK_REST_HOURS = number("LIANXIN_CALLBACK_REST_HOURS", 3)
LIANXIN_RATING_DAYS = number("LIANXIN_RATING_DAYS", 5)
LIANXIN_CONTEST_DAYS = number("LIANXIN_CONTEST_DAYS", 15)
LIANXIN_MISSED_CALL_ATTEMPTS = number("LIANXIN_MISSED_CALL_ATTEMPTS", 3)
LIANXIN_MISSED_CALL_DAYS = number("LIANXIN_MISSED_CALL_DAYS", 30)
LIANXIN_ARTICLE_REPORT_DAYS = number("LIANXIN_ARTICLE_REPORT_DAYS", 3)
LIANXIN_SWITCH = text("LIANXIN_SWITCH", "none")
if LIANXIN_SWITCH not in ("none", "asterisk", "double"):
    raise SystemExit(f"LIANXIN_SWITCH={LIANXIN_SWITCH!r}: use none, asterisk or double")
LIANXIN_SWITCH_URL = text("LIANXIN_SWITCH_URL")
if LIANXIN_SWITCH == "asterisk" and not LIANXIN_SWITCH_URL:
    raise SystemExit("LIANXIN_SWITCH=asterisk: LIANXIN_SWITCH_URL says where it is, ami://user:secret@host:5038")
LIANXIN_SWITCH_INTERFACE = text("LIANXIN_SWITCH_INTERFACE", "PJSIP/{extension}")
LIANXIN_SWITCH_CONTEXT = text("LIANXIN_SWITCH_CONTEXT", "lianxin")
LIANXIN_WRAP_UP_SECONDS = number("LIANXIN_WRAP_UP_SECONDS", 60)
LIANXIN_CALL_DAYS = number("LIANXIN_CALL_DAYS", 30)
LIANXIN_CALL_LOST_HOURS = number("LIANXIN_CALL_LOST_HOURS", 6)
LIANXIN_AGENT_SPELL_DAYS = number("LIANXIN_AGENT_SPELL_DAYS", 30)
LIANXIN_ANALYSIS_ENGINE = text("LIANXIN_ANALYSIS_ENGINE", "postgresql")
if LIANXIN_ANALYSIS_ENGINE not in ("postgresql", "duckdb"):
    raise SystemExit(f"LIANXIN_ANALYSIS_ENGINE={LIANXIN_ANALYSIS_ENGINE!r}: use postgresql or duckdb")
LIANXIN_ANALYSIS_DIR = text("LIANXIN_ANALYSIS_DIR", str(DATA / "analysis"))
LIANXIN_OPEN_DATA_DIR = text("LIANXIN_OPEN_DATA_DIR", str(DATA / "open"))
LIANXIN_OPEN_DATA_LICENCE = text("LIANXIN_OPEN_DATA_LICENCE", "https://creativecommons.org/licenses/by/4.0/")
LIANXIN_OPEN_DATA_LICENCE_NAME = text("LIANXIN_OPEN_DATA_LICENCE_NAME", "CC BY 4.0")
LIANXIN_OPEN_DATA_CONTACT = text("LIANXIN_OPEN_DATA_CONTACT")
LIANXIN_ANALYSIS_THREADS = number("LIANXIN_ANALYSIS_THREADS", 2)
LIANXIN_SMALL_NUMBERS = number("LIANXIN_SMALL_NUMBERS", 30)
LIANXIN_TRIAGE_SURE = number("LIANXIN_TRIAGE_SURE", 50) / 100
LIANXIN_HOT_DAYS = number("LIANXIN_HOT_DAYS", 60)
LIANXIN_ASSISTANT_URL = text("LIANXIN_ASSISTANT_URL")
LIANXIN_ASSISTANT_KEY = text("LIANXIN_ASSISTANT_KEY")
LIANXIN_ASSISTANT_MODEL = text("LIANXIN_ASSISTANT_MODEL", "default")
LIANXIN_ASSISTANT_SECONDS = number("LIANXIN_ASSISTANT_SECONDS", 30)
LIANXIN_SUBMISSION_DAYS = number("LIANXIN_SUBMISSION_DAYS", 30)
_days = number("LIANXIN_RETENTION_DAYS", 1095)
LIANXIN_RETENTION_DAYS = {
    "reporter": number("LIANXIN_RETENTION_REPORTER_DAYS", _days),
    "words": number("LIANXIN_RETENTION_WORDS_DAYS", _days),
    "attachment": number("LIANXIN_RETENTION_ATTACHMENT_DAYS", _days),
    "message": number("LIANXIN_RETENTION_MESSAGE_DAYS", _days),
}
LIANXIN_DUTY_DAYS = number("LIANXIN_DUTY_DAYS", 30)
LIANXIN_CHECK_IN_DAYS = number("LIANXIN_CHECK_IN_DAYS", 90)
LIANXIN_UNCLAIMED_HOURS = number("LIANXIN_UNCLAIMED_HOURS", 24)
LIANXIN_FIELD_UPLOAD_DAYS = number("LIANXIN_FIELD_UPLOAD_DAYS", 14)
LIANXIN_LINKAGE_NAME = text("LIANXIN_LINKAGE_NAME", "12345.city")
LIANXIN_LINKAGE_URL = text("LIANXIN_LINKAGE_URL").rstrip("/")
LIANXIN_LINKAGE_THREADS = number("LIANXIN_LINKAGE_THREADS", 8)
LIANXIN_LINKAGE_RETRY_MILLISECONDS = number("LIANXIN_LINKAGE_RETRY_MILLISECONDS", 1000)
LIANXIN_LINKAGE_SENT_DAYS = number("LIANXIN_LINKAGE_SENT_DAYS", 30)
LIANXIN_OUTBOUND_PRIVATE = words("LIANXIN_OUTBOUND_PRIVATE")
LIANXIN_EXCHANGE_THREADS = number("LIANXIN_EXCHANGE_THREADS", 2)
LIANXIN_EXCHANGE_RETRY_MILLISECONDS = number("LIANXIN_EXCHANGE_RETRY_MILLISECONDS", 2000)
LIANXIN_EXCHANGE_DEAD_DAYS = number("LIANXIN_EXCHANGE_DEAD_DAYS", 7)
LIANXIN_EXCHANGE_SENT_DAYS = number("LIANXIN_EXCHANGE_SENT_DAYS", 30)
LIANXIN_EXCHANGE_PHOTO_DAYS = number("LIANXIN_EXCHANGE_PHOTO_DAYS", 7)
LIANXIN_OPEN311_JURISDICTIONS = words("LIANXIN_OPEN311_JURISDICTIONS")
LIANXIN_OPEN311_BATCH = words("LIANXIN_OPEN311_BATCH")
LIANXIN_OPEN311_CONTACT = text("LIANXIN_OPEN311_CONTACT")
LIANXIN_OPEN311_TYPE = text("LIANXIN_OPEN311_TYPE", "production")
if LIANXIN_OPEN311_TYPE not in ("production", "test"):
    raise SystemExit(f"LIANXIN_OPEN311_TYPE={LIANXIN_OPEN311_TYPE!r}: use production or test")
LIANXIN_FIELD_UNSETTLED_DAYS = number("LIANXIN_FIELD_UNSETTLED_DAYS", 180)
LIANXIN_IMPORT_DAYS = number("LIANXIN_IMPORT_DAYS", 14)
LIANXIN_JOB_DAYS = number("LIANXIN_JOB_DAYS", 30)
LIANXIN_REPORT_DAYS = number("LIANXIN_REPORT_DAYS", 3650)
LIANXIN_PUBLIC_URL = text("LIANXIN_PUBLIC_URL").rstrip("/")
LIANXIN_WEBHOOK_THREADS = number("LIANXIN_WEBHOOK_THREADS", 4)
LIANXIN_WEBHOOK_LOG_DAYS = number("LIANXIN_WEBHOOK_LOG_DAYS", 30)
LIANXIN_WEBHOOK_FAILING_DAYS = number("LIANXIN_WEBHOOK_FAILING_DAYS", 5)
LIANXIN_MAIL_FROM = text("LIANXIN_MAIL_FROM", "12345@localhost")
LIANXIN_MAIL_URL = text("LIANXIN_MAIL_URL")
LIANXIN_NEWS_HOUR = number("LIANXIN_NEWS_HOUR", 18)
LIANXIN_MESSAGE_GATEWAY = text("LIANXIN_MESSAGE_GATEWAY", "lianxin.cases.messages.OutboxOnly")

LIANXIN_TRACES_URL = text("LIANXIN_TRACES_URL")
LIANXIN_TRACES_NAME = text("LIANXIN_TRACES_NAME", "lianxin")
LIANXIN_TRACES_PERCENT = number("LIANXIN_TRACES_PERCENT", 10)
PROCRASTINATE_WORKER_DEFAULTS = {"task_middleware": [numbered]}
LIANXIN_LOG_REQUESTS = flag("LIANXIN_LOG_REQUESTS", True)
LIANXIN_LOG_FORMAT = text("LIANXIN_LOG_FORMAT", "text")
if LIANXIN_LOG_FORMAT not in ("text", "json"):
    raise SystemExit(f"LIANXIN_LOG_FORMAT={LIANXIN_LOG_FORMAT!r}: use text or json")


def mail(url: str) -> dict[str, Any]:
    """Django's settings for `smtp://user:password@host:587` (STARTTLS), `smtps://…` (TLS), `console:`, `file:///folder` or nothing."""
    parts = urlsplit(url)
    backend = "django.core.mail.backends."
    if parts.scheme in ("smtp", "smtps") and parts.hostname:
        secure = parts.scheme == "smtps"
        return {"EMAIL_BACKEND": backend + "smtp.EmailBackend", "EMAIL_HOST": parts.hostname,
                "EMAIL_PORT": parts.port or (465 if secure else 587),
                "EMAIL_HOST_USER": unquote(parts.username or ""), "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
                "EMAIL_USE_SSL": secure, "EMAIL_USE_TLS": not secure and "plain" not in parse_qs(parts.query, keep_blank_values=True)}
    if parts.scheme == "file" and parts.path:
        return {"EMAIL_BACKEND": backend + "filebased.EmailBackend", "EMAIL_FILE_PATH": parts.path}
    if parts.scheme in ("", "console") and not parts.netloc:
        return {"EMAIL_BACKEND": backend + ("console" if parts.scheme else "dummy") + ".EmailBackend"}
    raise SystemExit("LIANXIN_MAIL_URL: use smtp://user:password@host:587, smtps://…, file:///folder or console:")


globals().update(mail(LIANXIN_MAIL_URL))
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = SERVER_EMAIL = LIANXIN_MAIL_FROM

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"numbered": {"()": "lianxin.operations.logs.Numbered"}},
    "formatters": {"line": {"()": f"lianxin.operations.logs.{LIANXIN_LOG_FORMAT.title()}"}},
    "handlers": {"standard": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["numbered"]}},
    "loggers": {
        "procrastinate": {"level": text("LIANXIN_JOB_LOG_LEVEL", "WARNING")},
        # At DEBUG these write down what people typed: whole template contexts, every statement's values.
        "django.template": {"level": "INFO"},
        "django.db.backends": {"level": "INFO"},
        "panoramisk": {"level": "WARNING"},
    },
    "root": {"handlers": ["standard"], "level": text("LIANXIN_LOG_LEVEL", "INFO")},
}
