"""Checks for signs that an evaluation overstates robustness."""
