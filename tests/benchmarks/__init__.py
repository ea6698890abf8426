"""Programs that measure the running market. They are no pytest tests: each is started by hand."""
