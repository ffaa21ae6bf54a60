"""The pages on which a run and a library are reviewed, and the server that guards them."""
