"""A search page on a served model, to see and to show what it does: `tfrec demo`."""
