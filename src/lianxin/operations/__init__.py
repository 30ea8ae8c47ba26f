"""Running an installation: what it says of itself, copies of it, changes to its tables while it runs."""
