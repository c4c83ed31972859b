"""Published figures of public checkpoints: the cleaned table, the rules that cleaned it, and what wrote it."""
