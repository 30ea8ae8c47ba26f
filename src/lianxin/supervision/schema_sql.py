"""What happened to a listed matter is never altered."""

from lianxin.kernel.guards import refusing

ENTRIES_STAY = refusing("supervision_entry_stays", "the entries of a listed matter are append-only") + """
CREATE TRIGGER supervision_listingentry_stays BEFORE UPDATE OR DELETE ON supervision_listingentry
  FOR EACH ROW EXECUTE FUNCTION supervision_entry_stays();
"""
DROP_ENTRIES_STAY = """
DROP TRIGGER supervision_listingentry_stays ON supervision_listingentry;
DROP FUNCTION supervision_entry_stays();
"""
