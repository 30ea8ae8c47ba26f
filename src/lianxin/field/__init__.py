"""The grid worker's face: an installable web app that works without a network."""
