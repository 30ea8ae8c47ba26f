"""Django's settings of this program, and of this program only."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .options import options

_here = Path(__file__).resolve().parent
_options = options()

SECRET_KEY = hashlib.sha256(("screen " + " ".join(_options.secrets) + _options.data).encode()).hexdigest()
DEBUG = False
ALLOWED_HOSTS = sorted({"localhost", "127.0.0.1", "[::1]", _options.host} | ({"*"} if _options.host in ("0.0.0.0", "::") else set()))
ROOT_URLCONF = "lianxin_110_desk.urls"
WSGI_APPLICATION = "lianxin_110_desk.wsgi.application"
INSTALLED_APPS = ["django.contrib.staticfiles", "lianxin_110_desk"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "lianxin_110_desk.middleware.screen",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
    "OPTIONS": {"context_processors": ["django.template.context_processors.request", "lianxin_110_desk.middleware.context"]},
}]
# One writer at a time is enough for one desk, and a commit is on the disk before it is answered for.
DATABASES = {"default": {
    "ENGINE": "django.db.backends.sqlite3", "NAME": str(_options.database), "CONN_MAX_AGE": None,
    "OPTIONS": {
        "timeout": 20, "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    },
}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
USE_I18N = False
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 0
CSRF_COOKIE_NAME = f"desk{_options.port}_csrf"
CSRF_COOKIE_SAMESITE = "Strict"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Kinds, states and numbers are written down; words, names and telephone numbers never.
LOGGING = {
    "version": 1, "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stdout"}},
    "root": {"handlers": ["out"], "level": "WARNING"},
    "loggers": {"lianxin_110_desk": {"level": "INFO"}},
}
