"""Hot issues: names, likeness, clusters, measure."""
