"""Whether a source carries a claim, who speaks in it, and whether two of them differ."""
