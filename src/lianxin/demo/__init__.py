"""A city to try: the supervisor of all its processes, and its accounts."""
