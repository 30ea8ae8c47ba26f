"""`python -m lianxin_110_desk`."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
