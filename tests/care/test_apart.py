"""The register stands alone: no relation to cases, in no export, no list, no search, no analysis, no interface for machines."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

import lianxin
from tests.care.made import NEEDLES, Register

SOURCE = Path(lianxin.__file__).parent
CARE = {model._meta.db_table for model in apps.get_app_config("care").get_models()}
# Where a person's own words must never be carried to.
CLOSED = ("cases", "analysis", "api", "portal", "bench", "quality", "supervision", "triage", "knowledge", "places", "organisations",
          "fieldwork", "field", "kernel", "worktime", "patrols", "faces")


def modules(name: str) -> Iterator[Path]:
    yield from (path for path in sorted((SOURCE / name).rglob("*.py")))


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} | {f"{node.module}.{one.name}" for one in node.names}
    return found


@pytest.mark.parametrize("name", CLOSED)
def test_nothing_else_reads_the_register(name: str) -> None:
    for path in modules(name):
        assert not {one for one in imported(path) if one.split(".")[:2] == ["lianxin", "care"]}, path
        text = path.read_text(encoding="utf-8")
        assert not [table for table in CARE if table in text], path


def test_the_desk_reads_it_in_its_own_pages_only() -> None:
    readers = {path.relative_to(SOURCE).as_posix() for name in ("desk", "city", "docs", "demo", "config") for path in modules(name)
               if {one for one in imported(path) if one.split(".")[:2] == ["lianxin", "care"]}}
    assert readers <= {"desk/menu.py", "desk/forms/care.py", "desk/views/care.py", "desk/views/notices.py", "demo/care.py"}


def reached(start: str) -> set[str]:
    """Apps that models of one app refer to, directly."""
    return {field.related_model._meta.app_label for model in apps.get_app_config(start).get_models()
            for field in model._meta.get_fields() if field.is_relation and isinstance(field.related_model, type)}


def test_no_relation_leads_from_the_register_to_a_case_or_back() -> None:
    assert reached("care") == {"care", "organisations", "places"}
    for config in apps.get_app_configs():
        if config.name.startswith("lianxin.") and config.label != "care":
            assert "care" not in reached(config.label), config.label
    for model in apps.get_app_config("care").get_models():
        for field in model._meta.concrete_fields:
            assert "case" not in field.attname, field
            assert not isinstance(field, models.JSONField), "no room for what is not said"


@pytest.mark.django_db
def test_the_database_knows_no_such_relation_either() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'")
        pairs = cursor.fetchall()
        cursor.execute("SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'")
        views = cursor.fetchall()
    others = {table for one, other in pairs for table in (one, other) if {one, other} & CARE} - CARE
    assert others == {"organisations_unit", "organisations_staff", "places_area"}
    assert not [name for name, definition in views if any(table in definition for table in CARE)]


def addresses(resolver: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for one in resolver.url_patterns:
        address = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from addresses(one, address)
        elif isinstance(one, URLPattern):
            yield address, one.callback


def test_the_register_has_addresses_at_the_desk_only() -> None:
    found = [(address, callback) for address, callback in addresses(get_resolver()) if "care" in address]
    assert found
    assert {address.split("care/")[0] for address, _callback in found} == {"desk/"}
    for address, callback in found:
        assert callback.__module__ == "lianxin.desk.views.care", address
        assert not any(word in address for word in ("csv", "json", "xlsx", "export", "download", "pdf")), address


@pytest.mark.django_db
def test_the_interface_for_machines_says_nothing_of_it(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    held = {path for path in document["paths"] if "care" in path.lower()}
    assert held == set()
    schemas = {name for name in document["components"]["schemas"] if "care" in name.lower()}
    assert schemas == set()
    # The one word there: the kind of an item that a visitor's own telephone sends.
    said = json.dumps(document, ensure_ascii=False)
    assert said.count("关爱") == 0


def test_no_column_of_what_is_exported_comes_from_it() -> None:
    from lianxin.analysis import export, facts, facts_sql

    text = "".join(Path(module.__file__ or "").read_text(encoding="utf-8") for module in (export, facts, facts_sql))
    assert "care" not in text.lower()
    assert not CARE & set(text.split())


@pytest.mark.django_db
def test_no_search_finds_a_person_of_the_register(register: Register) -> None:
    entry = register.entry()
    for username in ("operator", "supervisor", "admin", "bridge", "keeper", "grid", "leader"):
        one = Client()
        one.force_login(register.world.staff[username], backend="allauth.account.auth_backends.AuthenticationBackend")
        for word in (*NEEDLES, str(entry.pk)):
            page = one.get(reverse("desk:find"), {"q": word}, follow=True).content.decode()
            shown = page.replace(f'value="{word}"', "").replace(f"“{word}”", "").replace(f"q={word}", "")
            assert not [needle for needle in NEEDLES if needle in shown and needle != word], (username, word)
            assert "/desk/care/" + str(entry.pk) not in page
