"""The rows and sessions of a dataset, as files."""
