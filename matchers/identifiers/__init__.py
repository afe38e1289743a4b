"""Official numbers. One module per scheme, each with `compact`, `check_digit`, `validate` and `is_valid`."""
