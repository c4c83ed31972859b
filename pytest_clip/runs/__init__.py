"""Saved runs: what a run measured and what its models made of every image, kept in a folder to hold later runs against."""
