"""关爱登记: people who asked to be looked in on, and the visits to them. Never a list of people that others chose."""
