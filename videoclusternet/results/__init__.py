"""People and when they are seen: reports, scores, exports."""
