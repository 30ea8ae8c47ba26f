"""News for open pages: one small process that listens to PostgreSQL and writes to browsers."""
