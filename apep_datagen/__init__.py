"""Makes training conversations for Ada, a companion persona with private thinking, a memory and a diary."""

__all__: list[str] = []
