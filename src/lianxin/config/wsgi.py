"""The WSGI application."""

import os
import signal

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lianxin.config.settings")
if os.environ.get("LIANXIN_BOUND"):  # a web worker of ./run demo must not outlive the process that made it
    from lianxin.embedded.server import end_with_parent

    end_with_parent(signal.SIGTERM)
application = get_wsgi_application()
