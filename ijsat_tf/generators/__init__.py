"""Generators whose latents come with the data: GANs and their projections."""

__all__ = []
