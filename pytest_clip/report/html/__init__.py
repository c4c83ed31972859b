"""The HTML report: one file that shows a record as a page. Pure functions from the record; nothing here measures, loads or fetches."""
