"""The constants of the fifteen corruptions of CIFAR-10-C.

The constants come from the script that made the published set (Hendrycks and
Dietterich, arXiv:1903.12261; github.com/hendrycks/robustness,
ImageNet-C/create_c/make_cifar_c.py), severities 1 to 5 from left to right.
Lengths are pixels of 32x32 images; a `part` is a part of the image's side.
"""

# {file: {corruption: {argument: its five values}}}
SEVERITIES = {
    "noise": {
        "gaussian_noise": {"deviation": (0.04, 0.06, 0.08, 0.09, 0.1)},
        "shot_noise": {"photons": (500, 250, 100, 75, 50)},
        "impulse_noise": {"fraction": (0.01, 0.02, 0.03, 0.05, 0.07)},
    },
    "blur": {
        "defocus_blur": {
            "radius": (0.3, 0.4, 0.5, 1, 1.5),
            "alias": (0.4, 0.5, 0.6, 0.2, 0.1),
        },
        "glass_blur": {
            "deviation": (0.05, 0.25, 0.4, 0.25, 0.4),
            "rounds": (1, 1, 1, 2, 2),
        },
        "motion_blur": {
            "radius": (6, 6, 6, 8, 9),
            "deviation": (1, 1.5, 2, 2, 2.5),
        },
        "zoom_blur": {"stop": (1.06, 1.11, 1.16, 1.21, 1.26)},
    },
    "weather": {
        "snow": {
            "mean": (0.1, 0.1, 0.15, 0.25, 0.3),
            "deviation": (0.2, 0.2, 0.3, 0.3, 0.3),
            "zoom": (1, 1, 1.75, 2.25, 1.25),
            "threshold": (0.6, 0.5, 0.55, 0.6, 0.65),
            "radius": (8, 10, 10, 12, 14),
            "blur": (3, 4, 4, 6, 12),
            "kept": (0.95, 0.9, 0.9, 0.85, 0.8),
        },
        "frost": {
            "kept": (1, 1, 0.9, 0.85, 0.75),
            "added": (0.2, 0.3, 0.4, 0.4, 0.45),
        },
        "fog": {
            "amount": (0.2, 0.5, 0.75, 1, 1.5),
            "decay": (3, 3, 2.5, 2, 1.75),
        },
        "brightness": {"added": (0.05, 0.1, 0.15, 0.2, 0.3)},
    },
    "digital": {
        "contrast": {"kept": (0.75, 0.5, 0.4, 0.3, 0.15)},
        "elastic_transform": {
            "part_moved": (0, 0.05, 0.08, 0.1, 0.1),
            "part_smoothed": (0, 0.2, 0.06, 0.04, 0.03),
            "part_affine": (0.08, 0.07, 0.06, 0.05, 0.03),
        },
        "pixelate": {"part": (0.95, 0.9, 0.85, 0.75, 0.65)},
        "jpeg_compression": {"quality": (80, 65, 58, 50, 40)},
    },
}
CORRUPTIONS = tuple(name for file in SEVERITIES.values() for name in file)
"""The names of the fifteen corruptions, the noises first."""
SUBSTITUTES = {
    "frost": "random textures with the colours, variances and spectra of the "
    "original's photographs, which cannot be redistributed here"
}
"""Corruptions that differ from the original, and their substitutes."""
