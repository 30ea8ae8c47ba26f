"""`./run bench`: what the budgets in the design ask for, measured side by side in one run."""
