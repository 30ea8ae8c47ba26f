"""Rates and reports: what the city's figures are, how sure they are, and whether they changed."""
