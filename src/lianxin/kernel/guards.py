"""Triggers that refuse: rows that are written once and stay."""

from __future__ import annotations


def refusing(function: str, words: str) -> str:
    """SQL of a trigger function that refuses whatever fires it, with `words` (English, for logs and programmers)."""
    said = words.replace("'", "''")
    return f"""
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '{said}' USING ERRCODE = 'restrict_violation';
END $$;
"""
