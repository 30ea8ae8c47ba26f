"""What a version says never changes: only its state, who decided and when it ended do."""

_SAID = ("article_id", "number", "title", "questions", "keywords", "answer", "basis", "source", "category_id", "area_id",
         "unit_id", "valid_from", "valid_until", "review_by", "public", "note", "written_at", "written_by_id")

VERSIONS_STAY = f"""
CREATE FUNCTION knowledge_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a version of an article stays as it was written: write the next one'
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'article_version_stays';
END $$;
CREATE TRIGGER article_version_stays BEFORE UPDATE ON knowledge_version FOR EACH ROW
  WHEN (ROW({", ".join("OLD." + name for name in _SAID)}) IS DISTINCT FROM ROW({", ".join("NEW." + name for name in _SAID)}))
  EXECUTE FUNCTION knowledge_version_stays();
"""
DROP_VERSIONS_STAY = """
DROP TRIGGER article_version_stays ON knowledge_version;
DROP FUNCTION knowledge_version_stays();
"""
