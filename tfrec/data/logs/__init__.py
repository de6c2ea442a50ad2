"""Search logs: read in any known form, sessions joined, and made into labels by the click models."""
