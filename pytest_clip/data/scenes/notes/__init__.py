"""Scenes in which a note lies, with a word or without one: what of them there is (`note`), where it lies (`lie`), and their pictures."""
