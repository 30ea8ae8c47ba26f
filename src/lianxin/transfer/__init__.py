"""Everything a city owns, out and in again; lists as spreadsheets."""
