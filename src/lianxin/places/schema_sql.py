"""SQL that Django's own operations cannot say: changes of grids stay, of a boundary only the end is filled in, once."""

from lianxin.kernel.guards import refusing

GRID_HISTORY_STAYS = refusing("places_grid_history_stays", "a change of grids is never altered, a boundary only ended, once") + """
CREATE TRIGGER grid_change_stays BEFORE UPDATE OR DELETE ON places_gridchange
  FOR EACH ROW EXECUTE FUNCTION places_grid_history_stays();
CREATE TRIGGER boundary_stays BEFORE DELETE ON places_boundaryversion
  FOR EACH ROW EXECUTE FUNCTION places_grid_history_stays();
CREATE TRIGGER boundary_only_ends BEFORE UPDATE ON places_boundaryversion
  FOR EACH ROW WHEN (OLD.valid_to IS NOT NULL OR NEW.valid_to IS NULL
    OR (OLD.id, OLD.area_id, OLD.change_id, OLD.name, OLD.boundary, OLD.synthetic, OLD.valid_from)
       IS DISTINCT FROM (NEW.id, NEW.area_id, NEW.change_id, NEW.name, NEW.boundary, NEW.synthetic, NEW.valid_from))
  EXECUTE FUNCTION places_grid_history_stays();
"""
DROP_GRID_HISTORY_STAYS = """
DROP TRIGGER boundary_only_ends ON places_boundaryversion;
DROP TRIGGER boundary_stays ON places_boundaryversion;
DROP TRIGGER grid_change_stays ON places_gridchange;
DROP FUNCTION places_grid_history_stays();
"""
