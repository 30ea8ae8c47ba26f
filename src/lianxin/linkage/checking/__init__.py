"""The conformance kit: drives the other desk's endpoint through every rule of the interface and says what it found.

It knows the interface and nothing of ours: no models, no settings. It plays one of the two desks – sends, listens, answers – and
looks at what the other does. What only a person at the other desk can do is asked of `hands`.
"""
