"""The console script ``pytest-clip``: `main`, and a module for each command."""
