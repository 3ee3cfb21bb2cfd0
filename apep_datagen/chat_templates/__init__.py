"""Chat templates: a row rendered as a trainer renders it, and what is left of it then."""
