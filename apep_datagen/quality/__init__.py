"""What makes a conversation worth training on, and how that is found out, stage by stage."""
