"""Dateline over HTTP."""
