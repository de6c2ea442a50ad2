"""What TF Serving's protocol says, and our answers to it."""
