"""What happened to a listed matter is never altered."""

ENTRIES_STAY = """
CREATE FUNCTION supervision_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the entries of a listed matter are append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER supervision_listingentry_stays BEFORE UPDATE OR DELETE ON supervision_listingentry
  FOR EACH ROW EXECUTE FUNCTION supervision_entry_stays();
"""
DROP_ENTRIES_STAY = """
DROP TRIGGER supervision_listingentry_stays ON supervision_listingentry;
DROP FUNCTION supervision_entry_stays();
"""
