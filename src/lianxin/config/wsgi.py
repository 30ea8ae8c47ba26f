"""The WSGI application."""

import os
import signal

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from lianxin.kernel.starting import kept

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lianxin.config.settings")
if os.environ.get("LIANXIN_BOUND"):  # a web worker of ./run demo must not outlive the process that made it
    from lianxin.embedded.server import end_with_parent

    end_with_parent(signal.SIGTERM)
with kept():
    application = get_wsgi_application()
    _ = get_resolver().url_patterns  # else whoever asks first waits for every view to be imported


def refuse_a_foreign_keyring() -> None:
    """End the process rather than register people under keys that are not this database's. Raises SystemExit."""
    from django.db import DatabaseError, connections

    from lianxin.cases.keys import verify
    from lianxin.kernel.crypto import KeyringError

    try:
        verify()
    except KeyringError as error:
        raise SystemExit(str(error)) from None
    except DatabaseError:
        pass  # not there yet, or not migrated: the pages say so themselves
    finally:
        connections.close_all()


refuse_a_foreign_keyring()
