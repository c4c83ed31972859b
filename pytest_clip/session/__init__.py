"""One run without pytest: what was asked for, what has been loaded, what is judged."""
