"""Events to the systems that subscribed to them, and public news to the residents and offices that asked for it."""
