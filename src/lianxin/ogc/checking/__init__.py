"""The Abstract Test Suites of OGC API – Features, Part 1 (17-069r4, Annex A) and Part 2 (18-058r1, Annex A), asked of a server over HTTP.

They know nothing of how ours is made: any server can be asked. Each test is named as in the standard.
"""
