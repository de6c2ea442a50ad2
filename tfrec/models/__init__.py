"""One query tower (typed words and what the shopper did before) and one item tower over a shared encoder."""
