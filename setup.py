"""Packaging. The version stands in ijsat_tf/__init__.py and nowhere else."""

import pathlib
import re

from setuptools import find_packages, setup

ROOT = pathlib.Path(__file__).parent
DIGITS = ["scikit-learn>=1.4"]


def version() -> str:
    """`__version__`, read without importing TensorFlow."""
    text = (ROOT / "ijsat_tf" / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE).group(1)


def readme() -> str:
    """The page that an index shows, if the file is there."""
    path = ROOT / "README.md"
    return path.read_text(encoding="utf-8") if path.exists() else ""


setup(
    name="ijsat-tf",
    version=version(),
    description="Glow flows, the Joint Space Attack and IJSAT for Keras 3.",
    long_description=readme(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords="adversarial robustness, normalizing flows, mixup, Keras",
    classifiers=[
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    packages=find_packages(include=["ijsat_tf", "ijsat_tf.*"]),
    package_data={
        "ijsat_tf.data.bundled": ["*.md", "*.png"],
        "ijsat_tf.evaluation.page": ["*.css", "*.js"],
        "ijsat_tf.flows.presets": ["*.keras", "*.md"],
        "ijsat_tf.models.presets": ["*.keras", "*.md"],
    },
    python_requires=">=3.11",
    install_requires=[
        "absl-py>=2.1",
        "keras>=3.15",
        "matplotlib>=3.8",
        "numpy>=1.26",
        "tensorboard>=2.20",
        "tensorflow>=2.21",
        "tensorflow-datasets>=4.9",
        "importlib_resources",  # Of tensorflow-datasets, which forgot it.
        "tensorflow-probability[tf]>=0.25",
    ],
    extras_require={
        "corruptions": ["pillow>=10", "scipy>=1.11"],
        "demo": DIGITS,
        "dev": [
            *DIGITS,
            "hypothesis>=6.100",
            "pytest>=8",
            "pytest-xdist>=3.5",
            "ruff>=0.9",
        ],
        "docs": [*DIGITS, "furo>=2025", "myst-parser>=5", "sphinx>=9"],
        "oracles": [
            "adversarial-robustness-toolbox>=1.20",
            "cleverhans>=4.0",
            "foolbox>=3.3.4",
            "torch>=2.4",
        ],
    },
    # The file BUILD and a folder build/ are one name on some disks.
    options={"build": {"build_base": ".build"}},
)
