"""TF Serving's REST API over the standard library alone."""
