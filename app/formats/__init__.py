"""Catalog records to and from interchange formats; pure functions, one format per module."""
