"""Damaged copies of a model: what really goes wrong with checkpoints and pipelines, made on purpose to see which gate notices."""
