"""The run: ingest, standardise, train, score, cluster, decide; configuration; command line."""
