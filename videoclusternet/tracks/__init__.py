"""Faces followed inside each shot."""
