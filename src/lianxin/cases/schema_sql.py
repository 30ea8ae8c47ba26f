"""SQL that Django's own operations cannot say: the serial, the partitioned log, the triggers, the search index."""

from lianxin.kernel.guards import refusing

SERIAL = "CREATE SEQUENCE cases_serial AS bigint INCREMENT BY 20 MINVALUE 1"
DROP_SERIAL = "DROP SEQUENCE cases_serial"

# Django makes `cases_event` as a plain table; it is made again here as a partitioned one before anything refers to
# it. The bounds are UUIDv7 values, so the primary key is `id` alone and foreign keys can point at it.
PARTITION = """
CREATE TABLE cases_event_partitioned (LIKE cases_event INCLUDING DEFAULTS INCLUDING COMMENTS INCLUDING CONSTRAINTS)
  PARTITION BY RANGE (id);
DROP TABLE cases_event;
ALTER TABLE cases_event_partitioned RENAME TO cases_event;
ALTER TABLE cases_event ADD CONSTRAINT cases_event_pkey PRIMARY KEY (id);
CREATE INDEX cases_event_case ON cases_event (case_id, id);
CREATE TABLE cases_event_default PARTITION OF cases_event DEFAULT;
"""

GUARD = refusing("cases_log_is_append_only", "the event log is append-only") + """
CREATE TRIGGER cases_event_append_only BEFORE UPDATE OR DELETE ON cases_event
  FOR EACH ROW EXECUTE FUNCTION cases_log_is_append_only();

CREATE FUNCTION cases_words_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('lianxin.anonymise', true) IS DISTINCT FROM 'on' THEN
    RAISE EXCEPTION 'the reporter''s words are never altered' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER cases_case_words_stay BEFORE UPDATE OF words, title, number, registered_at, tracking_digest ON cases_case
  FOR EACH ROW
  WHEN (OLD.words IS DISTINCT FROM NEW.words OR OLD.title IS DISTINCT FROM NEW.title
        OR OLD.number IS DISTINCT FROM NEW.number OR OLD.registered_at IS DISTINCT FROM NEW.registered_at
        OR OLD.tracking_digest IS DISTINCT FROM NEW.tracking_digest)
  EXECUTE FUNCTION cases_words_stay();
CREATE TRIGGER cases_eventtext_stays BEFORE UPDATE OR DELETE ON cases_eventtext
  FOR EACH ROW EXECUTE FUNCTION cases_words_stay();
""" + refusing("cases_reading_stays", "the ledger of identity readings is append-only") + """
CREATE TRIGGER cases_identityreading_stays BEFORE UPDATE OR DELETE ON cases_identityreading
  FOR EACH ROW EXECUTE FUNCTION cases_reading_stays();
"""

DROP_GUARD = """
DROP TRIGGER cases_identityreading_stays ON cases_identityreading;
DROP TRIGGER cases_eventtext_stays ON cases_eventtext;
DROP TRIGGER cases_case_words_stay ON cases_case;
DROP TRIGGER cases_event_append_only ON cases_event;
DROP FUNCTION cases_reading_stays();
DROP FUNCTION cases_words_stay();
DROP FUNCTION cases_log_is_append_only();
"""

UNIT_IDS = "CREATE INDEX case_unit_ids ON cases_case USING gin (unit_ids)"
DROP_UNIT_IDS = "DROP INDEX case_unit_ids"

# What is not yet sorted into the index is read by every search and sorted in by one insert: keep it short (kB).
SEARCH = """
CREATE INDEX case_grams ON cases_case USING gin (lianxin_bigrams(title || ' ' || words || ' ' || place_text))
  WITH (gin_pending_list_limit = 512);
"""
DROP_SEARCH = "DROP INDEX case_grams"

# A transaction that has sent NOTIFY takes a lock of the whole server at its commit and holds it until the commit is on
# disk: commits then go to disk one by one. The job queue's trigger sent one with every message to a reporter; 32
# clients committed fewer cases than one. Workers look for jobs every second instead (docs/explanation/adr/0019-speed.md).
_NOTIFYING = "procrastinate_jobs_notify_queue_job_inserted_v1"
QUIET_JOBS = f"ALTER TABLE procrastinate_jobs DISABLE TRIGGER {_NOTIFYING}"
LOUD_JOBS = f"ALTER TABLE procrastinate_jobs ENABLE TRIGGER {_NOTIFYING}"

# A version of the catalogue is made whole, in one transaction, and stays as it was made: what led to a dispatch can be
# shown years later, and nobody changes it afterwards. Rules are added in the transaction that made their version (its own
# number or, inside a savepoint, a later one), and no version is in force before the one it follows.
CATALOGUE_GUARD = refusing("cases_catalogue_stays", "a version of the dispatch catalogue is never altered") + """
CREATE TRIGGER cases_catalogueversion_stays BEFORE UPDATE OR DELETE ON cases_catalogueversion
  FOR EACH ROW EXECUTE FUNCTION cases_catalogue_stays();
CREATE TRIGGER cases_cataloguerule_stays BEFORE UPDATE OR DELETE ON cases_cataloguerule
  FOR EACH ROW EXECUTE FUNCTION cases_catalogue_stays();

CREATE FUNCTION cases_catalogue_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM cases_catalogueversion
             WHERE number < NEW.number AND in_force_from > NEW.in_force_from OR number > NEW.number) THEN
    RAISE EXCEPTION 'a version of the dispatch catalogue is never in force before the one it follows'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER cases_catalogueversion_follows BEFORE INSERT ON cases_catalogueversion
  FOR EACH ROW EXECUTE FUNCTION cases_catalogue_follows();

CREATE FUNCTION cases_catalogue_is_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM cases_catalogueversion WHERE id = NEW.version_id
             AND xmin::text::bigint < pg_current_xact_id()::text::bigint % 4294967296) THEN
    RAISE EXCEPTION 'no rule is added to a version of the dispatch catalogue later'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER cases_cataloguerule_is_whole BEFORE INSERT ON cases_cataloguerule
  FOR EACH ROW EXECUTE FUNCTION cases_catalogue_is_whole();

""" + refusing("cases_decision_stays", "a decided proposal is never altered, and none is deleted") + """
CREATE TRIGGER cases_catalogueproposal_decided BEFORE UPDATE ON cases_catalogueproposal
  FOR EACH ROW WHEN (OLD.decision <> 'waiting') EXECUTE FUNCTION cases_decision_stays();
CREATE TRIGGER cases_catalogueproposal_stays BEFORE DELETE ON cases_catalogueproposal
  FOR EACH ROW EXECUTE FUNCTION cases_decision_stays();
"""
DROP_CATALOGUE_GUARD = """
DROP TRIGGER cases_catalogueproposal_stays ON cases_catalogueproposal;
DROP TRIGGER cases_catalogueproposal_decided ON cases_catalogueproposal;
DROP TRIGGER cases_cataloguerule_is_whole ON cases_cataloguerule;
DROP TRIGGER cases_catalogueversion_follows ON cases_catalogueversion;
DROP TRIGGER cases_cataloguerule_stays ON cases_cataloguerule;
DROP TRIGGER cases_catalogueversion_stays ON cases_catalogueversion;
DROP FUNCTION cases_decision_stays();
DROP FUNCTION cases_catalogue_is_whole();
DROP FUNCTION cases_catalogue_follows();
DROP FUNCTION cases_catalogue_stays();
"""
