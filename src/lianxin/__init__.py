"""Lianxin: a city hears its residents and puts things right."""
