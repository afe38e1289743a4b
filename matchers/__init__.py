"""What a field means: standardise one value, compare two, mask one. One module per field type."""
