"""From the output to files that trainers read, with a report of what was lost."""
