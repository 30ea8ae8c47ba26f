"""`lianxin doctor`: looks at an installation and says in plain words what to do. It changes nothing but a file of its own that it writes
and deletes again to see whether files can be written."""

from __future__ import annotations

import email.utils
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import Error, connection
from django.utils.module_loading import import_string
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from lianxin.cases import calendars, keys
from lianxin.kernel.clock import now
from lianxin.kernel.crypto import KeyringError
from lianxin.kernel.queues import standings
from lianxin.organisations.models import WORKING, Staff

from . import standing
from .models import Copy, CopyKind

DISK_LOW, DISK_EMPTY = 5_000_000_000, 500_000_000  # bytes
CLOCK_OFF = 30.0  # seconds; another desk refuses messages from five minutes on
WAITING = 900.0  # seconds a job or a message may wait before somebody should look
BACKUP_DAYS = 2


class Level(Enum):
    """All is well; somebody should look; it does not work; it does not apply here."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what was found, and what to do about it (empty when nothing)."""

    check: str
    level: Level
    said: str
    do: str = ""


def _ok(said: str) -> tuple[Level, str, str]:
    return Level.OK, said, ""


Answer = tuple[Level, str, str]


# ── Database ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _asked(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return str(cursor.fetchone()[0])


def database() -> Iterator[Answer]:
    version = int(_asked("SHOW server_version_num")) // 10_000
    if version < 15:
        yield Level.BAD, _("PostgreSQL %d 太旧。") % version, _("升级到 15 至 18。")
    elif version > 18:
        yield Level.WARN, _("PostgreSQL %d 没有试过。") % version, _("用 15 至 18，或者先在副本上试。")
    else:
        yield _ok(_("PostgreSQL %d。") % version)
    if (encoding := _asked("SHOW server_encoding")) != "UTF8":
        yield (Level.BAD, _("数据库编码是 %s。") % encoding,
               _("重建数据库：CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'，再恢复备份。"))
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if _asked(f"SHOW {name}") == "off":
            yield Level.BAD, _("%s 关着：断电会丢掉已经答应下来的工单。") % name, _("在 postgresql.conf 里设 %s = on。") % name
    used, allowed = int(_asked("SELECT count(*) FROM pg_stat_activity")), int(_asked("SHOW max_connections"))
    if used > allowed * 0.8:
        yield (Level.WARN, _("%(used)d 个连接，最多 %(allowed)d 个。") % {"used": used, "allowed": allowed},
               _("调大 max_connections，或减少进程。"))


def migrations() -> Iterator[Answer]:
    lacking = standing.pending_migrations()
    if lacking:
        yield (Level.BAD, _("数据库缺 %(count)d 个迁移，例如 %(name)s。") % {"count": len(lacking), "name": ".".join(lacking[0])},
               _("运行 lianxin migrate。"))
    else:
        yield _ok(_("表结构与程序一致。"))
    if _asked("SELECT to_regclass('lianxin_cache') IS NULL") == "True":
        yield Level.BAD, _("没有缓存表：限速和短时令牌不能用。"), _("运行 lianxin createcachetable。")


def keyring() -> Iterator[Answer]:
    path = Path(settings.LIANXIN_KEYRING)
    try:
        keys.verify()
    except KeyringError as error:
        yield Level.BAD, str(error), _("把备份里的密钥文件放回 %s，或用 LIANXIN_KEYRING 指明在哪里。") % path
        return
    if path.stat().st_mode & 0o077:
        yield Level.BAD, _("密钥文件别人也能读。"), _("chmod 600 %s") % path
    changed = path.stat().st_mtime
    copy = Copy.objects.filter(kind=CopyKind.BACKUP, keys=True).order_by("-at").first()
    if copy is None or copy.at.timestamp() < changed:
        yield (Level.WARN, _("密钥从未另存过，或换钥之后没有再存。没有它，备份里谁的身份都读不出来。"),
               _("运行 lianxin backup 备份目录 --with-keys 别处的目录；若已手工另存，可不理会。"))
    else:
        yield _ok(_("密钥与数据库相符，%s 另存过。") % localtime(copy.at).date().isoformat())


def partitions() -> Iterator[Answer]:
    ahead = standing.partitions_ahead(now())
    if ahead < 1:
        yield (Level.BAD, _("事件日志没有下个月的分表。"),
               _("看夜间任务 cases.keep_house 为什么没做：lianxin procrastinate shell，或“失败的任务”。"))
    else:
        yield _ok(_("事件日志的分表备到 %d 个月后。") % ahead)


# ── What runs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def worker() -> Iterator[Answer]:
    alive = standing.workers_alive()
    if not alive:
        yield (Level.BAD, _("没有 worker 在运行：短信不发、时限不催、夜里不清理。"),
               _("systemctl start lianxin-worker，再看 journalctl -u lianxin-worker。"))
    else:
        yield _ok(_("%d 个 worker 在运行。") % alive)
    late = {queue: seconds for queue, seconds in standing.oldest_jobs().items() if seconds > WAITING}
    for queue, seconds in sorted(late.items()):
        yield (Level.WARN, _("队列 %(queue)s 里最早的任务等了 %(minutes)d 分钟。") % {"queue": queue, "minutes": seconds // 60},
               _("worker 太少或卡住了：加一个，或重启。"))
    if failed := standing.failed_jobs():
        yield Level.WARN, _("有 %d 个任务放弃了。") % failed, _("在工作台“失败的任务”里看原因，处理后点重试。")


def outboxes() -> Iterator[Answer]:
    seen = False
    for one in standings(now()):
        seen = True
        name = f"{one.queue} → {one.code}"
        if one.dead:
            yield (Level.WARN, _("%(name)s：%(count)d 条消息对方不收。") % {"name": name, "count": one.dead},
                   _("在工作台对应的页面看原因，改好后重发。"))
        if one.oldest > WAITING:
            yield (Level.WARN, _("%(name)s：最早的消息等了 %(minutes)d 分钟。") % {"name": name, "minutes": one.oldest // 60},
                   _("看 lianxin deliver 是否在运行、对方是否在线。"))
        elif not one.dead:
            yield _ok(_("%(name)s：%(count)d 条在等。") % {"name": name, "count": one.waiting})
    if not seen:
        yield Level.SKIP, _("没有连别的系统。"), ""


def messages() -> Iterator[Answer]:
    name = settings.LIANXIN_MESSAGE_GATEWAY
    try:
        import_string(name)()
    except Exception as error:
        yield (Level.BAD, _("短信网关 %(name)s 用不了：%(why)s") % {"name": name, "why": type(error).__name__},
               _("检查 LIANXIN_MESSAGE_GATEWAY 和它自己的设置。"))
        return
    if name == "lianxin.cases.messages.OutboxOnly":
        yield Level.WARN, _("没有接短信网关：消息只留在系统里，市民要自己来查。"), _("有短信合同后，用 LIANXIN_MESSAGE_GATEWAY 指明网关。")
    else:
        yield _ok(_("短信网关 %s。") % name)


def mail() -> Iterator[Answer]:
    url = str(getattr(settings, "LIANXIN_MAIL_URL", ""))
    if not url:
        yield Level.SKIP, _("没有设邮件服务器，邮件订阅不开。"), ""
        return
    parts = urlsplit(url)
    if not parts.scheme.startswith("smtp"):
        yield Level.WARN, _("邮件不寄出去（%s）：只供试用。") % parts.scheme, _("用 LIANXIN_MAIL_URL 指明邮件服务器。")
        return
    port = parts.port or {"smtp": 25, "smtp+tls": 587, "smtps": 465}.get(parts.scheme, 25)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=5):
            yield _ok(_("邮件服务器 %s 有应答。") % parts.hostname)
    except OSError as error:
        yield Level.BAD, _("邮件服务器 %(host)s:%(port)d 连不上：%(why)s") % {
            "host": parts.hostname, "port": port, "why": error.strerror or type(error).__name__}, _("检查 LIANXIN_MAIL_URL 和防火墙。")


# ── The machine ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def disk() -> Iterator[Answer]:
    places = {settings.DATA: _("数据目录")}
    if not settings.LIANXIN_FILES_S3_BUCKET and Path(settings.MEDIA_ROOT).exists():
        places[Path(settings.MEDIA_ROOT)] = _("附件目录")
    for place, name in places.items():
        free = shutil.disk_usage(place).free
        said = _("%(name)s所在的盘还剩 %(gigabytes).1f GB。") % {"name": name, "gigabytes": free / 1e9}
        if free < DISK_LOW:
            yield Level.BAD if free < DISK_EMPTY else Level.WARN, said, _("腾出空间，或换大一点的盘。盘满了就登记不了工单。")
        else:
            yield _ok(said)


def files() -> Iterator[Answer]:
    name = f"doctor/{os.getpid()}"
    try:
        saved = default_storage.save(name, ContentFile(b"lianxin"))
        try:
            with default_storage.open(saved, "rb") as file:
                same = file.read() == b"lianxin"
        finally:
            default_storage.delete(saved)
    except Exception as error:  # a storage's own exceptions have no common base
        yield Level.BAD, _("附件写不进去：%s") % type(error).__name__, _("检查 %s 的权限，或对象存储的设置。") % settings.MEDIA_ROOT
        return
    yield _ok(_("附件能写能读。")) if same else (Level.BAD, _("附件读出来和写进去的不一样。"), _("检查存储。"))


def clock() -> Iterator[Answer]:
    theirs = float(_asked("SELECT extract(epoch FROM clock_timestamp())"))
    off = abs(time.time() - theirs)
    if off > CLOCK_OFF:
        yield (Level.BAD, _("本机和数据库的时钟差 %d 秒。") % off,
               _("在两台机器上都开启时间同步（systemctl enable --now chrony 或 systemd-timesyncd）。"))
    else:
        yield _ok(_("本机和数据库的时钟一致。"))
    try:
        said = subprocess.run(["timedatectl", "show", "--property=NTPSynchronized", "--value"], capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return
    if said.returncode == 0 and said.stdout.strip() == "no":
        yield Level.WARN, _("本机没有对时。"), _("开启时间同步：时限和与别的台的消息都靠它。")


def fonts() -> Iterator[Answer]:
    try:
        listed = subprocess.run(["fc-list", ":lang=zh-cn", "family"], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        yield (Level.WARN, _("看不到字体清单（没有 fc-list）。"),
               _("安装 fontconfig 和一种中文字体，否则 PDF 里是方框：apt-get install fonts-noto-cjk。"))
        return
    if not listed.strip():
        yield Level.WARN, _("没有中文字体，PDF 里会是方框。"), _("apt-get install fonts-noto-cjk。")
    else:
        yield _ok(_("有中文字体。"))


def static() -> Iterator[Answer]:
    if not settings.LIANXIN_STATIC_MANIFEST:
        yield Level.WARN, _("静态文件没有整理过：网页慢，换版本后浏览器还用旧的。"), _("运行 lianxin collectstatic --noinput。")
        return
    try:
        staticfiles_storage.url("faces/lianxin.css")
        yield _ok(_("静态文件齐全。"))
    except ValueError:
        yield Level.BAD, _("静态文件是旧的，缺本程序要的文件。"), _("运行 lianxin collectstatic --noinput。")


# ── The city ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def calendar() -> Iterator[Answer]:
    today = localtime(now()).date()
    year = today.year
    working = calendars.loaded()[WORKING]
    if not working.is_published(year):
        yield (Level.BAD, _("没有 %d 年的放假安排：所有期限都是估计的。") % year,
               _("升级程序（放假安排随程序发布），或写进城市文件 calendars.yaml 的 published_years。"))
    elif today.month >= 11 and not working.is_published(year + 1):
        yield (Level.WARN, _("还没有 %d 年的放假安排：跨年的期限先按估计算。") % (year + 1),
               _("国务院办公厅公布后升级程序，夜间会自动重算。"))
    else:
        yield _ok(_("有今年和明年的放假安排。") if working.is_published(year + 1) else _("有今年的放假安排。"))


def city() -> Iterator[Answer]:
    from lianxin.cases.models import CatalogueVersion
    from lianxin.places.models import City

    if not City.objects.exists():
        yield Level.BAD, _("还没有导入城市文件：没有地方、单位和分类。"), _("运行 lianxin load city 城市目录。")
        return
    if not CatalogueVersion.objects.exists():
        yield Level.WARN, _("没有派单目录：每件都要人工选单位。"), _("写 catalogue.csv，再运行 lianxin load city。")
    if not Staff.objects.filter(is_active=True).exclude(password="").exclude(password__startswith="!").exists() and \
            not settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]:
        yield Level.BAD, _("没有人能登录。"), _("给管理员设密码：lianxin changepassword 用户名。")
    else:
        yield _ok(_("城市文件已导入，有人能登录。"))


def https() -> Iterator[Answer]:
    if settings.DEBUG:
        yield Level.BAD, _("LIANXIN_DEBUG 开着：错误页会露出内部情况。"), _("去掉 LIANXIN_DEBUG。")
    hosts = [host for host in settings.ALLOWED_HOSTS if host not in ("localhost", "127.0.0.1", "[::1]")]
    if not hosts:
        yield Level.SKIP, _("只对本机服务（LIANXIN_ALLOWED_HOSTS 里没有别的名字）。"), ""
        return
    if "*" in hosts:
        yield Level.WARN, _("LIANXIN_ALLOWED_HOSTS 是 *：任何名字都答应。"), _("写上对外的域名。")
    if not settings.LIANXIN_HTTPS:
        yield (Level.BAD, _("对外的地址不是 HTTPS：密码和身份在网上是明的。"),
               _("在前面放代理和证书（packaging/nginx.conf），再设 LIANXIN_HTTPS=true。"))
    elif settings.SECURE_PROXY_SSL_HEADER is None:
        yield (Level.WARN, _("LIANXIN_HTTPS 开着，但不听代理的 X-Forwarded-Proto：如果前面有代理，网页会不停跳转。"),
               _("有代理时设 LIANXIN_BEHIND_PROXY=true 和 LIANXIN_TRUSTED_PROXIES=1。"))
    elif settings.LIANXIN_TRUSTED_PROXIES < 1:
        yield Level.WARN, _("不知道代理后面是谁：限速会把所有人当成一个人。"), _("设 LIANXIN_TRUSTED_PROXIES=1（代理的层数）。")
    else:
        yield _ok(_("HTTPS 和代理的设置齐全。"))


def asked_from_outside(address: str) -> Iterator[Answer]:
    """What a resident's browser gets at the public address: answer, certificate, time, headers."""
    try:
        reply = requests.get(address.rstrip("/") + "/about/", timeout=10, allow_redirects=True, headers={"User-Agent": "lianxin-doctor"})
    except requests.RequestException as error:
        yield Level.BAD, _("%(address)s 打不开：%(why)s") % {"address": address, "why": type(error).__name__}, _("检查代理、证书和防火墙。")
        return
    if reply.status_code != 200:
        yield (Level.BAD, _("%(address)s 的应答是 %(status)d。") % {"address": address, "status": reply.status_code},
               _("看 web 和代理的日志。"))
        return
    yield _ok(_("%s 打得开。") % address)
    if not reply.url.startswith("https://"):
        yield Level.BAD, _("没有跳到 HTTPS。"), _("让代理把 80 口转到 443 口。")
    if "content-security-policy" not in {name.lower() for name in reply.headers}:
        yield Level.WARN, _("代理去掉了安全头 Content-Security-Policy。"), _("让代理照原样传应答头。")
    said = email.utils.parsedate_to_datetime(reply.headers["Date"]) if "Date" in reply.headers else None
    if said is not None and abs((said - datetime.now(said.tzinfo)).total_seconds()) > CLOCK_OFF:
        yield Level.WARN, _("对外那台机器的时钟不对。"), _("开启时间同步。")


def backups() -> Iterator[Answer]:
    last = standing.last_backup()
    if last is None:
        yield Level.BAD, _("从来没有备份过。"), _("运行 lianxin backup 目录，并设每天自动备份（packaging/systemd/lianxin-backup.timer）。")
        return
    age = now() - last.at
    said = _("上次备份是 %s。") % localtime(last.at).strftime("%Y-%m-%d %H:%M")
    if age > timedelta(days=BACKUP_DAYS):
        yield Level.BAD, said, _("看自动备份为什么没做：systemctl status lianxin-backup.timer。")
    else:
        yield _ok(said)
    if last.missing:
        yield Level.WARN, _("那时有 %d 个附件在存储里找不到。") % last.missing, _("查存储；内容在更早的备份里也许还有。")


CHECKS: dict[str, Callable[[], Iterator[Answer]]] = {
    "database": database, "migrations": migrations, "keyring": keyring, "partitions": partitions, "worker": worker,
    "outboxes": outboxes, "messages": messages, "mail": mail, "disk": disk, "files": files, "clock": clock, "fonts": fonts,
    "static": static, "calendar": calendar, "city": city, "https": https, "backups": backups,
}
# Without these nothing else in the database can be asked.
FIRST = ("database", "migrations")
FREE = frozenset({"disk", "files", "fonts", "static", "https", "messages", "mail"})


def examine(*, only: list[str] | None = None, address: str = "") -> list[Finding]:
    """Every check, or those named. A check that fails in itself is a finding too."""
    found: list[Finding] = []
    shut = False
    for name, check in CHECKS.items():
        if only and name not in only:
            continue
        if shut and name not in FREE:
            found.append(Finding(name, Level.SKIP, _("没有查：先把数据库弄好。")))
            continue
        answers = list(_safely(name, check))
        found += answers
        shut = shut or (name in FIRST and any(one.level is Level.BAD for one in answers) and not _answers())
    if address:
        found += [Finding("address", *answer) for answer in asked_from_outside(address)]
    return found


def _answers() -> bool:
    """Whether the database answers and has our tables."""
    try:
        return not standing.pending_migrations()
    except Error:
        return False


def _safely(name: str, check: Callable[[], Iterator[Answer]]) -> Iterator[Finding]:
    try:
        for answer in check():
            yield Finding(name, *answer)
    except Error as error:
        connection.close()
        yield (Finding(name, Level.BAD, _("数据库没有应答：%s") % type(error).__name__,
               _("看 PostgreSQL 是否在运行，LIANXIN_DATABASE_URL 对不对。")))
    except Exception as error:
        yield Finding(name, Level.BAD, _("查不下去：%s") % type(error).__name__, _("看日志；这是程序的问题，请告诉开发者。"))
