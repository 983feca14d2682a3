"""Files that are never half written, and what tells their contents apart."""
