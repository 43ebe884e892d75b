"""Build of fer_common."""

from setuptools import find_packages, setup

NAME = "fer_common"

setup(
    name=NAME,
    version="0.1.0",
    description="What the nodes of fer share",
    author="The fer developers",
    maintainer="The fer developers",
    maintainer_email="fer-maintainers@users.noreply.github.com",
    license="MIT",
    packages=find_packages(exclude=["test"]),
    package_data={NAME: ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=True,
)
