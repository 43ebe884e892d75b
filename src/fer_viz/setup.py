"""Build of fer_viz."""

from setuptools import find_packages, setup

NAME = "fer_viz"

setup(
    name=NAME,
    version="0.1.0",
    description="Draws what the network sees and says into the camera picture",
    author="The fer developers",
    maintainer="The fer developers",
    maintainer_email="fer-maintainers@users.noreply.github.com",
    license="MIT",
    packages=find_packages(exclude=["test"]),
    package_data={NAME: ["py.typed", "glyphs/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml", "plugin.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            f"node = {NAME}.node:main",
            f"dashboard = {NAME}.dashboard.window:main",
        ]
    },
)
