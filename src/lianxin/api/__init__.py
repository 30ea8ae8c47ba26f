"""`/api/v1`: every action the screens have, typed; and `/metrics`."""
