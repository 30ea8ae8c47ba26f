"""Which tests there are, how they are run, and their table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .site import Failed, Site

Test = Callable[[Site], None]
TESTS: Final[dict[str, Test]] = {}
CLASSES: Final = {
    "core": "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "geojson": "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "html": "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "oas30": "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "crs": "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
}


def check(name: str) -> Callable[[Test], Test]:
    """Names a test as the standard does, `/conf/CLASS/…`; several of the standard's tests may be one of ours."""
    def take(test: Test) -> Test:
        TESTS[name] = test
        return test

    return take


@dataclass(frozen=True, slots=True)
class Outcome:
    """One test: `passed`, `failed` or, where the server does not declare its class, `not declared`; and why."""

    name: str
    said: str
    why: str = ""

    @property
    def conformance_class(self) -> str:
        return self.name.split("/")[2]


def run(site: Site) -> list[Outcome]:
    """Every test in its order."""
    from . import core, systems  # noqa: F401  (they name the tests)

    found = []
    for name, test in TESTS.items():
        try:
            if CLASSES[name.split("/")[2]] not in site.conformance:
                found.append(Outcome(name, "not declared"))
                continue
            test(site)
            found.append(Outcome(name, "passed"))
        except Failed as error:
            found.append(Outcome(name, "failed", str(error)))
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            found.append(Outcome(name, "failed", f"the answer has not the shape that was expected: {error!r}"))
    return found


def markdown(outcomes: list[Outcome]) -> str:
    """The table, for the documentation."""
    lines = ["| class | test of the standard | |", "|---|---|---|"]
    lines += [f"| {one.conformance_class} | `{one.name}` | {one.said}{f': {one.why}' if one.why else ''} |" for one in outcomes]
    return "\n".join(lines)


