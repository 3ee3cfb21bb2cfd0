"""A dataset on the Hugging Face hub: its files, its card, and their transfer."""
