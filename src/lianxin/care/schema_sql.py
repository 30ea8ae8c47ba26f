"""SQL that Django's own operations cannot say: ledgers that stay, visits that go with their entry only, who may visit."""

from lianxin.kernel.guards import refusing

_ENDED = "EXISTS (SELECT 1 FROM care_carestep WHERE entry_id = {0} AND kind IN ('withdrawn', 'lapsed'))"

# An entry and its visits are deleted together, and only once the ledger says that they are. A note may be sealed anew when
# keys are turned over; everything else about a visit stays as it was said.
GUARD = refusing("care_ledger_stays", "the ledgers of the care register are append-only") + """
CREATE TRIGGER care_step_stays BEFORE UPDATE OR DELETE ON care_carestep
  FOR EACH ROW EXECUTE FUNCTION care_ledger_stays();
CREATE TRIGGER care_access_stays BEFORE UPDATE OR DELETE ON care_careaccess
  FOR EACH ROW EXECUTE FUNCTION care_ledger_stays();
""" + refusing("care_visit_said", "a visit is never altered") + """
CREATE TRIGGER care_visit_stays BEFORE UPDATE ON care_carevisit FOR EACH ROW
  WHEN ((OLD.id, OLD.entry_id, OLD.at, OLD.outcome, OLD.by_id, OLD.recorded_at, OLD.note IS NULL)
        IS DISTINCT FROM (NEW.id, NEW.entry_id, NEW.at, NEW.outcome, NEW.by_id, NEW.recorded_at, NEW.note IS NULL))
  EXECUTE FUNCTION care_visit_said();
""" + f"""
CREATE FUNCTION care_ends_in_the_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'care_careentry' THEN
    IF NOT {_ENDED.format("OLD.id")} THEN
      RAISE EXCEPTION 'an entry is deleted once the ledger says so' USING ERRCODE = 'restrict_violation';
    END IF;
  ELSIF NOT {_ENDED.format("OLD.entry_id")} THEN
    RAISE EXCEPTION 'a visit is deleted with its entry' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER care_entry_ends BEFORE DELETE ON care_careentry
  FOR EACH ROW EXECUTE FUNCTION care_ends_in_the_ledger();
CREATE TRIGGER care_visit_ends BEFORE DELETE ON care_carevisit
  FOR EACH ROW EXECUTE FUNCTION care_ends_in_the_ledger();

CREATE FUNCTION care_visitor_of_the_unit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Only who is new to it: a visitor whose post ended stays written down until somebody else is named.
  IF EXISTS (
      SELECT 1 FROM (VALUES (NEW.visitor_id, TG_OP = 'UPDATE' AND OLD.visitor_id IS NOT DISTINCT FROM NEW.visitor_id),
                            (NEW.stand_in_id, TG_OP = 'UPDATE' AND OLD.stand_in_id IS NOT DISTINCT FROM NEW.stand_in_id))
        AS who (person, stays)
      WHERE person IS NOT NULL AND NOT stays AND NOT EXISTS (
        SELECT 1 FROM organisations_rolegrant WHERE staff_id = person AND unit_id = NEW.unit_id AND role = 'grid_worker'
        AND ended_at IS NULL)) THEN
    RAISE EXCEPTION 'who visits is a grid worker of the unit'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'care_visitor_of_the_unit', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER care_visitor_made BEFORE INSERT ON care_careentry
  FOR EACH ROW EXECUTE FUNCTION care_visitor_of_the_unit();
CREATE TRIGGER care_visitor_changed BEFORE UPDATE OF visitor_id, stand_in_id ON care_careentry FOR EACH ROW
  WHEN ((OLD.visitor_id, OLD.stand_in_id) IS DISTINCT FROM (NEW.visitor_id, NEW.stand_in_id))
  EXECUTE FUNCTION care_visitor_of_the_unit();
"""
DROP_GUARD = """
DROP TRIGGER care_visitor_changed ON care_careentry;
DROP TRIGGER care_visitor_made ON care_careentry;
DROP TRIGGER care_visit_ends ON care_carevisit;
DROP TRIGGER care_entry_ends ON care_careentry;
DROP TRIGGER care_visit_stays ON care_carevisit;
DROP TRIGGER care_access_stays ON care_careaccess;
DROP TRIGGER care_step_stays ON care_carestep;
DROP FUNCTION care_visitor_of_the_unit();
DROP FUNCTION care_ends_in_the_ledger();
DROP FUNCTION care_visit_said();
DROP FUNCTION care_ledger_stays();
"""
