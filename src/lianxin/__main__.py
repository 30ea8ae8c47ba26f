"""`python -m lianxin` is the command `lianxin`."""

from .cli import main

raise SystemExit(main())
