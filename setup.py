"""The one thing that pyproject.toml cannot say: the loops of `ratings` in C, which may fail to build.

Without a compiler the installation goes on, and the same loops run by numpy and scipy, more slowly.
"""

import os

from setuptools import Extension, setup

LOOPS = Extension(
    "ratings._loops",
    sources=["ratings/_loops.c"],
    depends=["ratings/_covariate_loops.h", "ratings/_tally_loop.h", "ratings/_cluster_loop.h"],
    extra_compile_args=[] if os.name == "nt" else ["-O3"],
    optional=True,
)

setup(ext_modules=[LOOPS])
