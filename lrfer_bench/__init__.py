"""lrfer-bench: which method recognises facial expressions best when the face is only 24, 12 or 6 pixels wide?"""

__version__ = "0.1.0"
