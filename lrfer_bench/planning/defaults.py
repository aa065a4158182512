"""Defaults of a run: the same from a command line and from Python."""

METHODS = ("oracle", "enlarge", "direct", "gmenet", "srfer", "fsrfer")
DATASET = "synthface"
PROTOCOL = "bicubic"
SCALES = (2, 4, 8)
PRESET = "quick"
RESULTS = "results"
ENGINE = "local"
OVERWRITE = "never"
