"""The way back: a dataset in one of the forms becomes conversations of an output."""
