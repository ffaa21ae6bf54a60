"""What somebody says of a run, and what becomes of it."""
