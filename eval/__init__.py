"""Simulator, metrics and reports."""
