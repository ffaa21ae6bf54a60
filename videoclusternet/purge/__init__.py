"""People erased from run folders, with proof."""
