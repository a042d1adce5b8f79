"""What a question says: its outlets, days, names and parts, and what it points back to."""
