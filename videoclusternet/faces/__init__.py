"""Faces found in frames, measured, judged, and cut out as the network wants them."""
