"""The map clients' face: OGC API – Features at `/ogc/`, vector tiles at `/tiles/`. All of it is public; only tallies are written."""
