"""Dateline's core: articles in, passages found, answers with verified citations out."""
