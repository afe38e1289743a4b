"""Shipped configuration: entity types, sources, survivorship and trained models."""
