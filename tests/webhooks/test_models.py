"""The database holds the invariants: each constraint is tried with plain SQL, and one without a trial fails here."""

from __future__ import annotations

import re

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from lianxin.kernel.clock import now
from lianxin.kernel.crypto import encrypt, lookup_hash
from lianxin.kernel.ids import uuid7
from lianxin.organisations.actors import SYSTEM
from lianxin.publishing.models import Standing
from lianxin.webhooks import actions, push
from lianxin.webhooks.models import Channel, Cursor, Delivery, Follow, NewsItem, NewsStanding
from tests.world import World

pytestmark = pytest.mark.django_db
# Constraint → table and SET clauses that must be refused, on rows that are there.
RULES: dict[str, tuple[str, tuple[str, ...]]] = {
    "webhook_state_known": ("subscription", ("state = 'x'",)),
    "webhook_secret_ends_after_it_begins": ("subscriptionsecret", ("valid_to = valid_from - interval '1 second'",)),
    "webhook_delivery_state_known": ("delivery", ("state = 'x'",)),
    "webhook_delivery_kind_known": ("delivery", ("kind = 'x'",)),
    "webhook_event_once": ("delivery", ("event_id = '00000000-0000-7000-8000-000000000000'",)),
    "webhook_sent_has_a_time": ("delivery", ("state = 'sent'", "sent_at = now()")),
    "webhook_event_has_a_case": ("delivery", ("case_id = NULL",)),
    "webhook_cursor_one": ("cursor", ("id = 2",)),
    "news_stage_known": ("newsitem", ("stage = 'x'",)),
    "news_standing_one": ("newsstanding", ("id = 2",)),
    "follow_by_known": ("follow", ("by = 'x'",)),
    "follow_state_known": ("follow", ("state = 'x'",)),
    "follow_pace_known": ("follow", ("pace = 'x'",)),
    "follow_confirmed_has_a_time": ("follow", ("state = 'active'", "confirmed_at = now()")),
    "follow_once": ("follow", ("address_hash = '\\x00'",)),
    "channel_pace_known": ("channel", ("pace = 'x'",)),
    "push_key_one": ("pushkey", ("one = false",)),
}


def made(world: World) -> None:
    """Rows of every table."""
    one, _secret = actions.create(actions.Wish("x", "http://127.0.0.1/"), by=SYSTEM, person=world.staff["dispatcher"])
    for _each in range(2):
        Delivery.objects.create(subscription=one, event_id=uuid7(), case_id=uuid7(), type="case.register", body="{}")
        pk = uuid7()
        Follow.objects.create(id=pk, by="email", address=encrypt("a", context=f"follow:{pk}:address"),
                              address_hash=lookup_hash(str(pk), purpose="news"))
    pk = uuid7()
    Channel.objects.create(id=pk, name="x", unit=world.units["urban"], service="x",
                           address=encrypt("a", context=f"news_channel:{pk}:address"))
    push.keys()
    NewsStanding.objects.create(pk=1)
    Standing.objects.get_or_create(pk=1)
    Cursor.objects.get_or_create(pk=1)


def test_every_constraint_has_a_trial() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint WHERE contype IN ('c', 'u', 'x') "
                       "AND conrelid::regclass::text LIKE 'webhooks\\_%'")
        named = {row[0] for row in cursor.fetchall()}
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename LIKE 'webhooks\\_%' AND indexdef LIKE 'CREATE UNIQUE%' "
                       "AND indexname NOT LIKE '%\\_pkey'")
        named |= {row[0] for row in cursor.fetchall()}
    own = {name for name in named if not re.search(r"_[0-9a-f]{8}_|_check$|_key$|_uniq$", name)}
    assert own == set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_it_refuses(world: World, name: str) -> None:
    made(world)
    table, trials = RULES[name]
    if table == "newsitem":
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO webhooks_newsitem (record_id, stage, at) VALUES (%s, 'x', %s)", [uuid7(), now()])
        assert not NewsItem.objects.exists()
        return
    for trial in trials:
        with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE webhooks_{table} SET {trial}")
        cause = refused.value.__cause__
        assert isinstance(cause, psycopg.errors.IntegrityError)
        # A state that is none breaks the rule of its time as well.
        assert cause.diag.constraint_name in {name, "follow_confirmed_has_a_time" if name == "follow_state_known" else name}
