"""Who is who: tracks grouped with the training loss as distance."""
