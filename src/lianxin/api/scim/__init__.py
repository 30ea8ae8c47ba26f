"""SCIM 2.0 (RFC 7643, RFC 7644): a city's directory keeps the accounts of staff. docs/howto/connect-scim.md.

A deactivated account stays: whoever did something goes on being named. What a directory deletes is deactivated and from then
on not shown to it; when it makes the same username again, it gets that account back.
"""
