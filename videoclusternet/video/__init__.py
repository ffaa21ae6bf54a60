"""Frames with their true times, and the film cut into shots.

The only room that knows the decoder.
"""
