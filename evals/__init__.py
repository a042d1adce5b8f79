"""Gold questions, metrics and reports: what Dateline answers, measured."""
