"""The serving process: the tables are made or brought up to date, sender and automatic hand start, then requests come."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from .bound import end_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lianxin_110_desk.settings")
end_with_parent()
application = get_wsgi_application()


def _begin() -> None:
    from django.core.management import call_command

    from . import auto, conduct, outbox
    from .options import options
    from .orders import auto_of, conduct_of

    call_command("migrate", verbosity=0, interactive=False)
    if options().fresh:
        conduct.order(conduct_of(options().misbehave), anew=True)
        auto.order({"on": False, **auto_of(options().auto)})
    outbox.start()
    auto.start()


_begin()
