"""The tables of the paper: what it printed, and what records give."""
