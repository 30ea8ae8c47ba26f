"""What an installation is made from: units, image, compose file and proxy say what the program knows, and give away nothing they need not.

Images are not built here; what can be read is judged.
"""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class

from lianxin.docs import settings as documented
from lianxin.operations import healthy
from tests.docs.test_prose import _options

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
UNITS = sorted((PACKAGING / "systemd").iterdir())
COMPOSE: dict[str, Any] = yaml.safe_load((PACKAGING / "compose.yaml").read_text(encoding="utf-8"))
OURS = {name: one for name, one in COMPOSE["services"].items() if "lianxin" in str(one.get("image"))}


def faults_of(words: list[str]) -> list[str]:
    """What of a command line the program does not know."""
    program = words[0].rpartition("/")[2]
    if program == "granian":
        return [] if words[-1] == "lianxin.config.wsgi:application" and (ROOT / "src/lianxin/config/wsgi.py").exists() else [words[-1]]
    if program != "lianxin":
        return [program]
    app = get_commands().get(words[1])
    if app is None:
        return [words[1]]
    command = load_command_class(app, words[1]) if isinstance(app, str) else app
    known = _options(command.create_parser("lianxin", words[1]))
    return [word for word in words[2:] if word.startswith("--") and word not in known]


def read(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(path, encoding="utf-8")
    return parser


def test_the_units_are_these() -> None:
    assert [path.name for path in UNITS] == [
        "lianxin-backup.service", "lianxin-backup.timer", "lianxin-deliver.service", "lianxin-live.service", "lianxin-web.service",
        "lianxin-worker.service"]


@pytest.mark.parametrize("path", [one for one in UNITS if one.suffix == ".service"], ids=lambda one: one.name)
def test_a_unit_runs_what_there_is_without_rights(path: Path) -> None:
    unit = read(path)["Service"]
    assert faults_of(shlex.split(unit["ExecStart"])) == []
    assert unit["User"] == "lianxin"
    for name, value in (("NoNewPrivileges", "true"), ("ProtectSystem", "strict"), ("ProtectHome", "true"), ("PrivateTmp", "true")):
        assert unit[name] == value
    assert unit["EnvironmentFile"] == "/etc/lianxin.env"
    if path.name != "lianxin-backup.service":
        assert unit["Restart"] == "always"


def test_the_timer_starts_the_backup_at_night() -> None:
    timer = read(PACKAGING / "systemd" / "lianxin-backup.timer")["Timer"]
    assert timer["OnCalendar"].endswith("04:30:00")
    assert timer["Persistent"] == "true"


@pytest.mark.parametrize("path", UNITS, ids=lambda one: one.name)
def test_systemd_understands_it(path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine")
    done = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True)
    assert [line for line in done.stderr.splitlines() if path.name in line and "is not executable" not in line] == []


def test_settings_of_the_example_exist() -> None:
    for name in ("lianxin.env.example", "compose.yaml", "Containerfile", "nginx.conf"):
        said = set(re.findall(r"^\s*-?\s*(LIANXIN_[A-Z0-9_]+)\s*[=:]", (PACKAGING / name).read_text(encoding="utf-8"), re.MULTILINE))
        assert said - documented.documented() == set(), name


# ── The image ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def instructions() -> list[tuple[str, str]]:
    text = (PACKAGING / "Containerfile").read_text(encoding="utf-8")
    joined = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    return [(line.split(None, 1)[0], line.split(None, 1)[1].strip()) for line in joined.splitlines() if line.strip()]


def test_the_image_is_made_in_stages_and_ends_without_rights() -> None:
    held = instructions()
    stages = [said for name, said in held if name == "FROM"]
    assert len(stages) == 2
    assert stages[0].endswith(" AS build")
    last = held[max(at for at, (name, _said) in enumerate(held) if name == "FROM"):]
    assert [said for name, said in last if name == "USER"] == ["10001:10001"]
    assert not [said for name, said in last if name == "RUN" and "install -e" in said], "nothing is built where it runs"
    names = [name for name, _said in held]
    assert "ADD" not in names
    assert "HEALTHCHECK" in names
    assert "VOLUME" in names


def test_the_image_follows_the_rules_of_the_craft() -> None:
    for name, said in instructions():
        assert ":latest" not in said
        if name == "ARG":
            assert re.search(r":[\d.]+", said), "a version is named"
        if "apt-get install" in said:
            assert said.startswith("apt-get update"), "the lists and what is installed from them are one layer"
            assert "--no-install-recommends" in said
            assert "rm -rf /var/lib/apt/lists/*" in said
        if name in ("CMD", "ENTRYPOINT"):
            assert isinstance(json.loads(said), list), "without a shell, signals arrive"
        if name == "COPY" and "--from" not in said:
            for source in said.split()[:-1]:
                assert (ROOT / source).exists(), source
        assert "sudo" not in said
        assert not re.search(r"PASSWORD|SECRET|KEY=", said)
    command = next(said for name, said in instructions() if name == "CMD")
    assert faults_of(json.loads(command)) == []


# ── The compose file ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_services_are_these() -> None:
    assert set(COMPOSE["services"]) == {"postgres", "migrate", "web", "worker", "live", "deliver", "proxy", "load", "backup"}
    assert [name for name, one in COMPOSE["services"].items() if one.get("profiles")] == ["load", "backup"]
    assert [name for name, one in COMPOSE["services"].items() if one.get("ports")] == ["proxy"], "the street sees the proxy only"
    assert COMPOSE["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_of_ours_runs_what_there_is_and_writes_only_its_data(name: str) -> None:
    one = OURS[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert one["tmpfs"] == ["/tmp"]
    words = one.get("command")
    if words is not None:
        lines = [shlex.split(part) for part in words[2].split("&&")] if words[0] == "sh" else [words]
        assert [fault for line in lines for fault in faults_of(line)] == []
    assert one["environment"]["LIANXIN_DATABASE_URL"].startswith("postgresql://lianxin:${CITY_DB_PASSWORD:?")
    if name not in ("migrate",):
        assert one["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_every_volume_network_and_file_is_there() -> None:
    for one in COMPOSE["services"].values():
        assert set(one["networks"]) <= set(COMPOSE["networks"])
        for volume in one["volumes"]:
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or source.startswith(("${", "./certificates")) or (PACKAGING / source).exists(), volume
    build = COMPOSE["services"]["web"]["build"]
    assert (PACKAGING / build["context"] / build["dockerfile"]).resolve() == PACKAGING / "Containerfile"
    for image in (one["image"] for one in COMPOSE["services"].values()):
        assert image.startswith("${") or re.search(r":\d", image), image


def test_passwords_are_not_written_down() -> None:
    for path in PACKAGING.rglob("*"):
        if path.is_file():
            for said in re.findall(r"(?i)password\s*[:=]\s+(\S+)", path.read_text(encoding="utf-8")):
                assert said.startswith("${") or "CHANGE-ME" in said, (path.name, said)


# ── The proxy ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["nginx.conf", "compose-nginx.conf"])
def test_the_proxy_sets_what_is_believed_and_logs_no_address(name: str) -> None:
    text = re.sub(r"#.*", "", (PACKAGING / name).read_text(encoding="utf-8"))
    assert text.count("{") == text.count("}")
    for header, value in (("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "$remote_addr"),
                          ("X-Request-ID", "$request_id"), ("Host", "$host")):
        assert f"proxy_set_header {header} {value};" in text
    form = re.search(r"log_format lianxin '([^']*)'", text)
    assert form is not None
    assert not re.search(r"\$(request|request_uri|uri|args|remote_addr|http_referer|http_user_agent)\b", form[1])
    assert "access_log" in text
    assert "client_max_body_size 160m" in text
    assert re.search(r"location = /metrics \{[^}]*deny all", text)


# ── The health check ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def web() -> Iterator[tuple[int, list[str]]]:
    asked: list[str] = []

    class Web(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.headers['Host']} {self.path}")
            self.send_response(200 if self.path == "/readyz" else 503)
            self.end_headers()

        def log_message(self, *_said: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, asked
    server.shutdown()
    server.server_close()


def test_a_container_is_well_when_it_is_ready(web: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    port, asked = web
    monkeypatch.setenv("LIANXIN_ALLOWED_HOSTS", "* 12345.example.gov.cn,localhost")
    assert healthy.healthy(port)
    assert not healthy.healthy(port, "/other")
    assert not healthy.healthy(1)
    assert asked == ["12345.example.gov.cn /readyz", "12345.example.gov.cn /other"]
