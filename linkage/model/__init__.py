"""What agreement weighs: training, scoring in the batch and online, verdicts."""
