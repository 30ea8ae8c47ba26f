"""Clock, ids, errors, text, coordinates, crypto: what everything stands on. Imports nothing of ours."""
