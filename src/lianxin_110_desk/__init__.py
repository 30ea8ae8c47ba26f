"""The other end of the line: a small desk of 110 (or 119, 120, another city's hotline) for training, tests and demonstrations.

It speaks the published interface between two desks and shares nothing with `lianxin`: no code, no process, no database. What it
needs to know of the interface is the JSON Schema in `schema/`. It can misbehave on command, so that the other side learns to
live with it. It keeps what it is sent in the clear in one file: for invented people, not for real ones.
"""
