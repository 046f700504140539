"""Several visitors at once: detections to tracks, and tracks to crossings of lines. Does no I/O.

Lengths are in heights of the picture, x to the right and y down from its top left, so that they are equal in both directions.
"""
