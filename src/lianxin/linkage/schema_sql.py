"""SQL that Django's own operations cannot say: ledgers that stay as they were written."""

from lianxin.kernel.guards import refusing

GUARD = refusing("linkage_ledger_stays", "the ledger of handovers is append-only") + """
CREATE TRIGGER linkage_handoverstep_stays
  BEFORE DELETE OR UPDATE OF id, handover_id, at, kind, "by", staff_id, badge, from_state, to_state, data ON linkage_handoverstep
  FOR EACH ROW EXECUTE FUNCTION linkage_ledger_stays();
CREATE TRIGGER linkage_disclosure_stays BEFORE UPDATE OR DELETE ON linkage_disclosure
  FOR EACH ROW EXECUTE FUNCTION linkage_ledger_stays();
CREATE TRIGGER linkage_mappingchange_stays BEFORE UPDATE OR DELETE ON linkage_mappingchange
  FOR EACH ROW EXECUTE FUNCTION linkage_ledger_stays();
"""

DROP_GUARD = """
DROP TRIGGER linkage_mappingchange_stays ON linkage_mappingchange;
DROP TRIGGER linkage_disclosure_stays ON linkage_disclosure;
DROP TRIGGER linkage_handoverstep_stays ON linkage_handoverstep;
DROP FUNCTION linkage_ledger_stays();
"""

# Who holds a matter and where its case stands are written in two tables by two apps: at the end of every transaction they agree.
# `there` means that exactly one partner holds the case; a case that is over is with nobody.
HOLDER = """
CREATE FUNCTION linkage_holder_agrees() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  subject uuid;
  standing text;
  holders integer;
BEGIN
  IF TG_TABLE_NAME = 'cases_case' THEN subject := NEW.id; ELSE subject := NEW.case_id; END IF;
  IF subject IS NULL THEN RETURN NULL; END IF;
  SELECT linkage INTO standing FROM cases_case WHERE id = subject AND state NOT IN ('closed', 'declined', 'withdrawn');
  IF NOT FOUND THEN RETURN NULL; END IF;
  SELECT count(*) INTO holders FROM linkage_matter WHERE case_id = subject AND holder = 'them' AND closed_at IS NULL;
  IF (standing = 'there') IS DISTINCT FROM (holders = 1) THEN
    RAISE EXCEPTION 'case % stands as "%" and % partners hold it', subject, standing, holders USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER linkage_matter_holder_agrees AFTER INSERT OR UPDATE OF holder, case_id, closed_at ON linkage_matter
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linkage_holder_agrees();
CREATE CONSTRAINT TRIGGER linkage_case_holder_agrees AFTER UPDATE OF linkage, state ON cases_case
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.linkage <> '' OR NEW.linkage <> '') EXECUTE FUNCTION linkage_holder_agrees();
"""

DROP_HOLDER = """
DROP TRIGGER linkage_case_holder_agrees ON cases_case;
DROP TRIGGER linkage_matter_holder_agrees ON linkage_matter;
DROP FUNCTION linkage_holder_agrees();
"""

# A part of ours in a matter that a partner goes on holding is nobody's but ours.
HOLDER_BUT_JOINT = """
CREATE OR REPLACE FUNCTION linkage_holder_agrees() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  subject uuid;
  standing text;
  holders integer;
BEGIN
  IF TG_TABLE_NAME = 'cases_case' THEN subject := NEW.id; ELSE subject := NEW.case_id; END IF;
  IF subject IS NULL THEN RETURN NULL; END IF;
  SELECT linkage INTO standing FROM cases_case WHERE id = subject AND state NOT IN ('closed', 'declined', 'withdrawn');
  IF NOT FOUND THEN RETURN NULL; END IF;
  SELECT count(*) INTO holders FROM linkage_matter WHERE case_id = subject AND holder = 'them' AND closed_at IS NULL AND NOT joint;
  IF (standing = 'there') IS DISTINCT FROM (holders = 1) THEN
    RAISE EXCEPTION 'case % stands as "%" and % partners hold it', subject, standing, holders USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
"""

HOLDER_AS_BEFORE = HOLDER_BUT_JOINT.replace(" AND NOT joint", "")
