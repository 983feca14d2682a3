"""Checks for signs that numbers mislead."""
