"""The tables of the paper: as printed, and computed from records."""
