"""The other desk's messages, the people's screen, and the control of both."""
