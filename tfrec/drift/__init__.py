"""What has changed since a version was made: measures, the version's reference profile, checks of incoming tables."""
