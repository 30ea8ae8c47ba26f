"""Services: what outside apps may report – the categories – and what is asked beside the words of each."""
