"""What texts say: words, names, numbers, dates, roles and statements."""
