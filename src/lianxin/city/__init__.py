"""A city as files: read, checked as a whole, and put into the database in one transaction."""
