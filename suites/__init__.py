"""The shipped suites: one file of gates per robustness property. They run with `pytest --clip-model=NAME`, here and in any project."""
