"""Folders of projected batches that something happened to."""

import pytest

from ijsat_tf.generators import projected_parts

REQUEST = {"name": "om_digits", "seed": 0}


@pytest.mark.parametrize("content", [b"", b'{"name": "om', b"[1]", b"\xff"])
def test_a_damaged_request_is_named(content, tmp_path):
    projected_parts.claim(tmp_path / "parts", REQUEST)
    projected_parts.claim(tmp_path / "parts", REQUEST)
    (tmp_path / "parts" / "0.npz").write_bytes(b"")
    projected_parts.claim(tmp_path / "parts", REQUEST)
    (tmp_path / "parts" / "request.json").write_bytes(content)
    with pytest.raises(ValueError, match="request.json is damaged: delete .*"):
        projected_parts.claim(tmp_path / "parts", REQUEST)
