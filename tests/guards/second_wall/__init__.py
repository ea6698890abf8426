"""What the database shows when the application has forgotten to ask who calls."""
