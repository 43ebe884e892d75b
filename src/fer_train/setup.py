"""Build of fer_train. Its name, version and description stand in package.xml."""

from xml.etree import ElementTree

from setuptools import find_packages, setup

MANIFEST = ElementTree.parse("package.xml").getroot()
NAME, VERSION, DESCRIPTION, LICENSE = (
    MANIFEST.findtext(tag) for tag in ("name", "version", "description", "license")
)

setup(
    name=NAME,
    version=VERSION,
    description=DESCRIPTION,
    license=LICENSE,
    packages=find_packages(exclude=["test"]),
    package_data={NAME: ["py.typed", "rendered_heads/*", "selections/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    extras_require={"test": ["pytest"]},
    zip_safe=False,
)
