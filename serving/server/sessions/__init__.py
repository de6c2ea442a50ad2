"""An export in memory: sessions, batches, warm-up."""
