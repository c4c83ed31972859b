"""The figures of the HTML report, one kind a module: rows and evidence in, `Figure` out."""
