"""Text encoders: any TF-Hub transformer by handle, and our own BERT written for the speed of a CPU."""
