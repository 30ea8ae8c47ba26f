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
