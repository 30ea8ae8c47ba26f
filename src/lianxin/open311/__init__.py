"""Open311's GeoReport v2 at /open311/v2/: services, requests, tokens, notes and updates, in XML and JSON.

Reads what `publishing` lets anyone know; what was posted with a key is told whole to whoever holds the key.
"""
