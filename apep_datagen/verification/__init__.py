"""Checking a finished dataset once more: from its file, and against its state database."""
