"""TF Serving's configuration files: models, batching, monitoring, TLS."""
