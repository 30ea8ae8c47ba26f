"""Two desks, two programs, two databases: handovers over a bad line while both sides' processes are killed, and how fast it is."""
