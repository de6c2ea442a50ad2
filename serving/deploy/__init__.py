"""Running an export elsewhere: images, Compose, Kubernetes, and the proof that two servers answer alike."""
