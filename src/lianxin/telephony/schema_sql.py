"""Triggers: what was told of a call stays until its time is over, and so does who looked at a number."""

from lianxin.kernel.guards import refusing

GUARD = """
CREATE FUNCTION telephony_event_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('lianxin.anonymise', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'what was told of a call is never altered' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER telephony_callevent_stays BEFORE UPDATE OR DELETE ON telephony_callevent
  FOR EACH ROW EXECUTE FUNCTION telephony_event_stays();
""" + refusing("telephony_row_stays", "what was written of a call is never altered") + """
CREATE TRIGGER telephony_numberreading_stays BEFORE UPDATE OR DELETE ON telephony_numberreading
  FOR EACH ROW EXECUTE FUNCTION telephony_row_stays();
CREATE TRIGGER telephony_casecall_stays BEFORE UPDATE OR DELETE ON telephony_casecall
  FOR EACH ROW EXECUTE FUNCTION telephony_row_stays();
"""
DROP_GUARD = """
DROP TRIGGER telephony_casecall_stays ON telephony_casecall;
DROP TRIGGER telephony_numberreading_stays ON telephony_numberreading;
DROP TRIGGER telephony_callevent_stays ON telephony_callevent;
DROP FUNCTION telephony_row_stays();
DROP FUNCTION telephony_event_stays();
"""
