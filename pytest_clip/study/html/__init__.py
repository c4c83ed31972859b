"""A study as one page for a browser, in the design of the report."""
