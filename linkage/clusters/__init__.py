"""From judged pairs to clusters: which links hold, and what becomes of those that may not."""
