"""The message catalogues: found in the code, kept in .po files, 繁 generated, held together by `faults()`.

Chinese (简) is the source: a message's id is what its reader sees. `en` is translated by people; `zh_Hant` is made
from the source by OpenCC and locale/zh_Hant/corrections.yaml; `zh_Hans` holds only what the libraries (Django,
allauth) say in English because they lack a Chinese translation. docs/howto/translate.md is the guide.
"""

from __future__ import annotations

import ast
import io
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from django.utils.translation.template import templatize

from lianxin.kernel.language import corrected, corrections, traditional
from lianxin.kernel.syntax import parsed

PACKAGE = Path(__file__).resolve().parents[1]
LOCALE = PACKAGE / "locale"
# Which arguments of a gettext function are the message: Babel's notation.
FUNCTIONS: dict[str, Any] = {
    "gettext": None, "gettext_lazy": None, "gettext_noop": None,
    "ngettext": (1, 2), "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3), "npgettext_lazy": ((1, "c"), 2, 3),
}
# The libraries whose words our readers meet, with the files in which those words stand.
LIBRARIES: dict[str, tuple[str, ...]] = {
    "django": ("core/validators.py", "forms/**/*.py", "contrib/auth/forms.py", "contrib/auth/password_validation.py",
               "contrib/humanize/**/*.py", "utils/timesince.py", "utils/dates.py", "utils/text.py",
               "template/defaultfilters.py"),
    "allauth": ("account/**/*", "mfa/**/*", "usersessions/**/*", "socialaccount/*.py", "templates/account/**/*",
                "templates/mfa/**/*", "templates/usersessions/**/*", "templates/socialaccount/**/*",
                "templates/allauth/**/*"),
}
CHINESE = re.compile("[\u3400-\u9fff\uf900-\ufaff\u3000-\u303f\uff01-\uff5e]")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_PLACEHOLDER = re.compile(r"%\([^)]+\)[#0\- +]?\d*(?:\.\d+)?[a-zA-Z]|%%|%[#0\- +]?\d*(?:\.\d+)?[sdrfgi]|\{\{.*?\}\}|\{\w*\}")

_WIDTH = re.compile(r"(%\([^)]+\))[#0\- +]?\d*(?:\.\d+)?(?=[a-zA-Z])")
_LATIN_WORD = re.compile("[A-Za-z]{4,}")
_MARKUP = re.compile(r"<[^>]*>|%\([^)]+\)[a-z]|\{\w*\}|\"oauth_\w+\"")
# Names that stay as they are in every language.
NOT_ENGLISH = frozenset({"WebAuthn", "TOTP", "JavaScript", "HTML", "HTTP", "HTTPS", "JSON", "Cookie", "Unicode", "ASCII", "UUID"})

Key = tuple[str, str]
"""Context (empty for none) and singular: what gettext looks a message up by."""


@dataclass(slots=True)
class Found:
    """One message of the code: its plural (empty for none) and the files that use it."""

    context: str
    singular: str
    plural: str = ""
    files: set[str] = field(default_factory=set)
    comments: list[str] = field(default_factory=list)

    @property
    def key(self) -> Key:
        return (self.context, self.singular)


def _aliases(source: str) -> dict[str, str]:
    """Names by which one Python file calls the gettext functions: `_` → `gettext`."""
    names = {name: name for name in FUNCTIONS}
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
            names |= {alias.asname: alias.name for alias in node.names if alias.asname and alias.name in FUNCTIONS}
    return names


def _python(source: str, names: dict[str, str]) -> Iterator[Any]:
    keywords = {name: FUNCTIONS[function] for name, function in names.items()}
    return iter(extract("python", io.BytesIO(source.encode()), keywords=keywords, comment_tags=("Translators:",),
                        options={"encoding": "utf-8"}))


def _template(source: str) -> Iterator[Any]:
    """Django's own `templatize` gives the ids exactly as the tags look them up (trimmed, % doubled)."""
    # In brackets the tokenizer does not mind indentation.
    return _python("(" + templatize(source) + "\n)", {**{name: name for name in FUNCTIONS}, "_": "gettext"})


def _collect(root: Path, paths: Iterable[Path]) -> dict[Key, Found]:
    made: dict[Key, Found] = {}
    for path in sorted(paths):
        source = path.read_text(encoding="utf-8")
        rows = _python(source, _aliases(source)) if path.suffix == ".py" else _template(source)
        for _line, said, comments, context in rows:
            singular, plural = (said, "") if isinstance(said, str) else (said[0], said[1])
            if not singular:
                continue
            found = made.setdefault((context or "", singular), Found(context or "", singular))
            found.plural = found.plural or plural
            found.files.add(path.relative_to(root).as_posix())
            found.comments += [comment for comment in comments if comment not in found.comments]
    return made


def _sources(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        python = path.suffix == ".py" and "migrations" not in path.parts
        if python or (path.suffix in (".html", ".txt") and "templates" in path.parts):
            yield path


def own_messages() -> dict[Key, Found]:
    """Every message of this package's Python and templates."""
    return _collect(PACKAGE, _sources(PACKAGE))


def _home(library: str) -> Path:
    spec = find_spec(library)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@cache
def library_messages() -> dict[Key, Found]:
    """Every message of the libraries' pages and forms that our readers may meet."""
    made: dict[Key, Found] = {}
    for library, patterns in LIBRARIES.items():
        root = _home(library)
        paths = {path for pattern in patterns for path in root.glob(pattern)
                 if path.suffix in (".py", ".html", ".txt") and not {"migrations", "tests", "management"} & set(path.parts)}
        made |= _collect(root, paths)
    return made


@cache
def _library_catalogue(language: str) -> dict[Key, str | tuple[str, ...]]:
    """What the libraries translate themselves, on top of one another as Django loads them: its own words, allauth,
    then its contrib applications, which stand first in INSTALLED_APPS. English left in Chinese counts as none."""
    made: dict[Key, str | tuple[str, ...]] = {}
    for library, place in (("django", "conf"), ("allauth", "."), ("django", "contrib")):
        for path in sorted((_home(library) / place).glob(f"**/locale/{language}/LC_MESSAGES/django.mo")):
            with path.open("rb") as file:
                made |= {key_of(m): _strings(m) for m in mofile.read_mo(file) if m.id and said(m)}
    return {key: strings for key, strings in made.items() if not _english_left(key[1], "".join(strings))}


def _english_left(source: str, string: str) -> bool:
    words = set(_LATIN_WORD.findall(_MARKUP.sub("", string))) - NOT_ENGLISH
    return bool(words & set(_LATIN_WORD.findall(source)) or any(word.islower() for word in words))


def key_of(message: Any) -> Key:
    context = message.context or ""  # from a compiled file Babel gives it as bytes
    return (context.decode() if isinstance(context, bytes) else context, message.id if isinstance(message.id, str) else message.id[0])


def _strings(message: Any) -> str | tuple[str, ...]:
    return message.string if isinstance(message.string, str) else tuple(message.string or ())


def said(message: Any) -> tuple[str, ...]:
    """The translations of a message, none when one of them is empty."""
    strings = _strings(message)
    every = (strings,) if isinstance(strings, str) else strings
    return every if every and all(every) else ()


def path_of(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read_po(path: Path) -> Catalog:
    """One catalogue; an empty one where there is no file yet."""
    if not path.exists():
        return Catalog(fuzzy=False)
    with path.open("rb") as file:
        return pofile.read_po(file)


def _empty(language: str) -> Catalog:
    return Catalog(locale=language, fuzzy=False, charset="utf-8")


def _put(catalogue: Catalog, found: Found, string: str | tuple[str, ...], *, note: str = "") -> None:
    plain = (found.singular, found.plural) if found.plural else found.singular
    catalogue.add(plain, string, context=found.context or None, locations=[(name, 0) for name in sorted(found.files)],
                  auto_comments=[*found.comments, *([note] if note else [])])


def text_of(catalogue: Catalog) -> str:
    """The catalogue as its file's text: by file, then id, without line numbers, so that edits stay small."""
    # No dates: the same messages make the same file.
    forms = "nplurals=2; plural=(n != 1);" if str(catalogue.locale) == "en" else "nplurals=1; plural=0;"
    headers = "".join(f'"{line}\\n"\n' for line in (
        "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", f"Language: {catalogue.locale}",
        f"Plural-Forms: {forms}",
    ))
    entries: list[str] = []
    for message in sorted((m for m in catalogue if m.id), key=lambda m: (m.locations[:1], key_of(m))):
        one = Catalog(locale=catalogue.locale, fuzzy=False)
        one.add(message.id, message.string, context=message.context, locations=message.locations,
                auto_comments=message.auto_comments)
        buffer = io.BytesIO()
        pofile.write_po(buffer, one, width=0, omit_header=True, include_lineno=False)
        entries.append(buffer.getvalue().decode().strip())
    return f'msgid ""\nmsgstr ""\n{headers}\n' + "\n\n".join(entries) + "\n"


def english() -> Catalog:
    """The English catalogue for the messages of now: what was translated is kept, what is new is empty."""
    kept = {key_of(m): _strings(m) for m in read_po(path_of("en")) if m.id}
    catalogue = _empty("en")
    for key, found in own_messages().items():
        string = kept.get(key, ("", "") if found.plural else "")
        if bool(found.plural) != (not isinstance(string, str)):  # it gained or lost its plural
            string = ("", "") if found.plural else ""
        _put(catalogue, found, string)
    return catalogue


def simplified() -> Catalog:
    """What the libraries lack in 简: kept translations, and empty ones for what they lack newly."""
    kept = {key_of(m): _strings(m) for m in read_po(path_of("zh_Hans")) if m.id}
    known = _library_catalogue("zh_Hans")
    catalogue = _empty("zh_Hans")
    for key, found in library_messages().items():
        if any(kept.get(key, "")) or key not in known:
            string = kept.get(key, ("",) if found.plural else "")
            _put(catalogue, found, string)
    return catalogue


def _to_traditional(string: str, source: str) -> str:
    whole = corrections()["messages"].get(source)
    return whole if whole is not None else corrected(traditional(string), "words")


def traditional_catalogue() -> Catalog:
    """繁, wholly made: from the ids of our own messages, and from the 简 of library messages that lack 繁."""
    catalogue = _empty("zh_Hant")
    for found in own_messages().values():
        made = _to_traditional(found.singular, found.singular)
        _put(catalogue, found, (made,) if found.plural else made)
    ours = {key_of(m): _strings(m) for m in read_po(path_of("zh_Hans")) if m.id}
    theirs, have = _library_catalogue("zh_Hans"), _library_catalogue("zh_Hant")
    for key, found in library_messages().items():
        if key in have and key not in ours:
            continue
        string = ours.get(key) or theirs.get(key) or ""
        first = string if isinstance(string, str) else string[0]
        made = _to_traditional(first, found.singular)
        _put(catalogue, found, (made,) if found.plural else made)
    return catalogue


MAKERS = {"en": english, "zh_Hans": simplified, "zh_Hant": traditional_catalogue}


def update() -> dict[str, int]:
    """Write all catalogues anew; returns how many messages of each still lack a translation."""
    lacking: dict[str, int] = {}
    for language, make in MAKERS.items():
        catalogue = make()
        path_of(language).parent.mkdir(parents=True, exist_ok=True)
        path_of(language).write_text(text_of(catalogue), encoding="utf-8")
        lacking[language] = sum(1 for message in catalogue if message.id and not said(message))
    return lacking


def compile_all() -> None:
    """Write each .mo beside its .po where the .po is newer. `./run` does the same at set-up."""
    for language in MAKERS:
        source, target = path_of(language), path_of(language).with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime <= source.stat().st_mtime:
            new = target.with_suffix(f".mo.{os.getpid()}")
            with new.open("wb") as file:
                mofile.write_mo(file, read_po(source))
            new.replace(target)  # two processes may compile at once


def _unclear_calls() -> Iterator[str]:
    """Calls whose message is not a literal: no catalogue can hold it, and an f-string fixes the order of words."""
    for path in _sources(PACKAGE):
        if path.suffix != ".py":
            continue
        source = path.read_text(encoding="utf-8")
        names = _aliases(source)
        for node in ast.walk(parsed(source)):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func.id if isinstance(node.func, ast.Name) else ""
            if called not in names or (names[called] == called and called not in source.split("def ")[0]):
                continue
            spec = FUNCTIONS[names[called]] or (1,)
            for place in (part[0] if isinstance(part, tuple) else part for part in spec):
                argument = node.args[place - 1]
                if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
                    yield f"{path.relative_to(PACKAGE)}:{node.lineno}: the message is not a plain string"


def _message_faults(language: str, message: Any) -> Iterator[str]:
    if message.fuzzy:
        yield "marked fuzzy"
    strings = said(message)
    if not strings:
        yield "not translated"
        return
    sources = [message.id] if isinstance(message.id, str) else list(message.id)
    for place, string in enumerate(strings):
        source = sources[min(place, len(sources) - 1)]
        # How wide a number is written is a language's own matter.
        wanted, given = (sorted(_WIDTH.sub(r"\1", one) for one in _PLACEHOLDER.findall(text)) for text in (source, string))
        # "1 file" may leave the number out of an English singular.
        if wanted != given and not (len(strings) > 1 and place == 0 and set(given) <= set(wanted)):
            yield f"placeholders {wanted} became {given}"
        if source.startswith("\n") != string.startswith("\n") or source.endswith("\n") != string.endswith("\n"):
            yield "newlines at the ends differ"
        if language == "en" and (held := CHINESE.findall(string)) and source not in KEPT_IN_CHINESE:
            yield f"Chinese left in English: {''.join(held)}"
        if language == "zh_Hans" and len(source) > 3 and not _HAN.search(string):
            yield "no Chinese in it"


# A language's own name, so that who cannot read the page finds it.
KEPT_IN_CHINESE = frozenset({"简体中文", "繁體中文"})


def faults() -> list[str]:
    """All that is wrong with the catalogues, one line each; empty when they are complete and sound."""
    made = list(_unclear_calls())
    for language, make in MAKERS.items():
        path = path_of(language)
        wanted, held = make(), read_po(path)
        keys = {key_of(m) for m in held if m.id}
        for message in wanted:
            if message.id and key_of(message) not in keys:
                made.append(f"{language}: missing: {key_of(message)[1]!r} ({', '.join(n for n, _l in message.locations)})")
        for message in held:
            if message.id:
                made += [f"{language}: {fault}: {key_of(message)[1]!r}" for fault in _message_faults(language, message)]
        # Which file a message stands in may change without a word of it changing: that is no fault.
        for key in keys - {key_of(m) for m in wanted if m.id}:
            made.append(f"{language}: no longer in the code: {key[1]!r}")
        strings = {key_of(m): _strings(m) for m in held if m.id}
        made += [f"{language}: differs from what `lianxin messages` writes: {key_of(m)[1]!r}" for m in wanted
                 if m.id and strings.get(key_of(m), _strings(m)) != _strings(m)]
    return made
