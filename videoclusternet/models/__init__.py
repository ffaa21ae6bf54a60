"""Face networks: how each is built, read from its file and fed; the head, and the loss."""
