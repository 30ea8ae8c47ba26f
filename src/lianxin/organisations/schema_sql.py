"""SQL that Django's own operations cannot say: columns that hold the code of a calendar, calendars and entries that stay."""

from lianxin.kernel.guards import refusing

# The two built-in codes need no row, and cost no look-up: nearly every clock runs in one of them. A foreign key would
# lock the calendar's row at every insert, and every case is inserted with two clocks.
CALENDARS_STAY = """
CREATE FUNCTION organisations_calendar_known() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM organisations_workcalendar WHERE code = NEW.calendar) THEN
    RAISE EXCEPTION 'no calendar with the code %', NEW.calendar
      USING ERRCODE = 'foreign_key_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, COLUMN = 'calendar';
  END IF;
  RETURN NEW;
END $$;
""" + refusing("organisations_calendar_stays", "a calendar stays, and keeps its code: clocks were counted in it") + """
CREATE TRIGGER calendar_stays BEFORE DELETE ON organisations_workcalendar
  FOR EACH ROW EXECUTE FUNCTION organisations_calendar_stays();
CREATE TRIGGER calendar_keeps_its_code BEFORE UPDATE OF code ON organisations_workcalendar
  FOR EACH ROW WHEN (OLD.code IS DISTINCT FROM NEW.code) EXECUTE FUNCTION organisations_calendar_stays();
"""
DROP_CALENDARS_STAY = """
DROP TRIGGER calendar_keeps_its_code ON organisations_workcalendar;
DROP TRIGGER calendar_stays ON organisations_workcalendar;
DROP FUNCTION organisations_calendar_stays();
DROP FUNCTION organisations_calendar_known();
"""

ACCOUNT_ENTRIES_STAY = refusing("organisations_account_entry_stays", "what was done to an account is never altered") + """
CREATE TRIGGER account_entry_stays BEFORE UPDATE OR DELETE ON organisations_accountentry
  FOR EACH ROW EXECUTE FUNCTION organisations_account_entry_stays();
"""
DROP_ACCOUNT_ENTRIES_STAY = """
DROP TRIGGER account_entry_stays ON organisations_accountentry;
DROP FUNCTION organisations_account_entry_stays();
"""


def knows_calendars(table: str, name: str) -> str:
    """A trigger that lets a table's `calendar` hold the two built-in codes and those of loaded calendars only."""
    return (
        f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE OF calendar ON {table} FOR EACH ROW "
        "WHEN (NEW.calendar NOT IN ('working', 'around_the_clock')) EXECUTE FUNCTION organisations_calendar_known()"
    )


def forgets_calendars(table: str, name: str) -> str:
    return f"DROP TRIGGER {name} ON {table}"
