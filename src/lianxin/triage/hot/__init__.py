"""Hot issues: matters that many people raise, found in a stream of messages; and surges against the usual level."""
