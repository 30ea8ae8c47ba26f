"""The dispatch catalogue as something that changes: what a version holds, how two differ, who proposes and who decides.

`content` is pure comparison by codes, `versions` makes versions and goes back to one, `proposals` is the way there from a
ruling, `effects` says what a proposal would have changed, `rights` who may.
"""
