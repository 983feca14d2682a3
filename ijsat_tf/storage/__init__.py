"""Files: atomic writes, fingerprints of contents, and resumable work."""
