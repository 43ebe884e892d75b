"""Build of fer_camera."""

from setuptools import find_packages, setup

NAME = "fer_camera"

setup(
    name=NAME,
    version="0.1.0",
    description="Camera node of fer",
    author="The fer developers",
    maintainer="The fer developers",
    maintainer_email="fer-maintainers@users.noreply.github.com",
    license="MIT",
    packages=find_packages(exclude=["test"]),
    package_data={NAME: ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        (f"share/{NAME}/demo", ["demo/demo.mp4", "demo/demo_labels.csv"]),
    ],
    install_requires=["setuptools"],
    zip_safe=True,
    entry_points={"console_scripts": [f"node = {NAME}.node:main"]},
)
