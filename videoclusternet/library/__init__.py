"""Many films, and the people they share."""
