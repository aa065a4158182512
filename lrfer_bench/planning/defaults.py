"""Defaults of a run: the same from a command line and from Python."""

METHODS = ("oracle", "enlarge", "direct", "gmenet", "srfer", "fsrfer")
DATASET = "synthface"
PROTOCOL = "bicubic"
SCALES = (2, 4, 8)
PRESET = "quick"
RESULTS = "results"
ENGINE = "local"
OVERWRITE = "never"

TUNED_SCALES = (4,)
TRIALS = 8
TRIAL_EPOCHS = "0.5x"
"""Of a tuning: the budget of a trial, as a share of the preset's epochs."""
PRUNE = "none"
