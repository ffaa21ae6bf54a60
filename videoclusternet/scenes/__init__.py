"""What the film itself says of who is who, before any network is asked."""
