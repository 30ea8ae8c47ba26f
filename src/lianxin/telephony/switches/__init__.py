"""Telephone systems (PBX): one module for each kind that is spoken to, and a double that speaks like a real one."""
