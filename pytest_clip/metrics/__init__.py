"""Metrics: pure functions from numpy arrays to numbers.

No file, no pytest, no global state and nothing else of this package in here. Arrays come first and by position, everything that changes the
meaning of a number (bins, temperature, level, seed) is keyword-only. A bad input is a ValueError that says which array and how many values;
a number that does not exist for a good input (the error ratio of a perfect model) is NaN. Import the module you need:
`from pytest_clip.metrics import accuracy, calibration, factors, intervals, ood`.
"""
