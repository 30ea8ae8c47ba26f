"""The WSGI application."""

import gc
import os
import signal

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lianxin.config.settings")
if os.environ.get("LIANXIN_BOUND"):  # a web worker of ./run demo must not outlive the process that made it
    from lianxin.embedded.server import end_with_parent

    end_with_parent(signal.SIGTERM)
application = get_wsgi_application()


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
# What was made at the start stays: the collector need not walk all of it again in the middle of requests.
gc.collect()
gc.freeze()
