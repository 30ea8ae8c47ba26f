"""What anyone may read: one record per case, made coarse by rule; figures of places; files and feeds made of them."""
