"""Rounds: places looked at at intervals, by forms a city writes itself; and what was found there."""
