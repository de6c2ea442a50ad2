"""A query generator trained on the shop's own (item text, query) pairs: hub encoder, small decoder, copy attention."""
