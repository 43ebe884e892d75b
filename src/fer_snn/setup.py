"""Build of fer_snn."""

from pathlib import Path

from setuptools import find_packages, setup

NAME = "fer_snn"

setup(
    name=NAME,
    version="0.1.0",
    description="Spiking network that recognises facial expressions and learns by local plasticity",
    author="The fer developers",
    maintainer="The fer developers",
    maintainer_email="fer-maintainers@users.noreply.github.com",
    license="MIT",
    packages=find_packages(exclude=["test"]),
    package_data={NAME: ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        (f"share/{NAME}/models", [str(path) for path in sorted(Path("models").glob("*.npz"))]),
        (f"share/{NAME}/clips", [str(path) for path in sorted(Path("clips").glob("*.mp4"))]),
    ],
    install_requires=["setuptools"],
    zip_safe=True,
    entry_points={"console_scripts": [f"node = {NAME}.node:main"]},
)
