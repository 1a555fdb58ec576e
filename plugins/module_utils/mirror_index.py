# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads the metadata of a repository that createrepo_c made, and tells whether they fit the files."""

import gzip
import hashlib
import os
import xml.etree.ElementTree as ET

REPO = "{http://linux.duke.edu/metadata/repo}"
COMMON = "{http://linux.duke.edu/metadata/common}"
BLOCK = 1024 * 1024


def fits(folder, packages):
    """Whether the metadata are whole, and tell of exactly these packages (paths in the folder) as they are."""
    try:
        told = read_primary(os.path.join(folder, verified(folder)["primary"]))
    except (OSError, KeyError, ET.ParseError):
        return False
    return told == {os.path.relpath(path, folder): sha256(path) for path in packages}


def verified(folder):
    """The path of each metadata file by its kind; KeyError when one is not what the index of the metadata says."""
    paths = {}
    for data in ET.parse(os.path.join(folder, "repodata", "repomd.xml")).getroot().iter(REPO + "data"):
        path, checksum = location_and_checksum(data, REPO)
        if sha256(os.path.join(folder, path)) != checksum:
            raise KeyError(path)
        paths[data.attrib["type"]] = path
    return paths


def read_primary(path):
    with gzip.open(path) as stream:
        packages = ET.parse(stream).getroot().iter(COMMON + "package")
        return dict(location_and_checksum(package, COMMON) for package in packages)


def location_and_checksum(element, namespace):
    children = {child.tag: child for child in element}
    return children[namespace + "location"].attrib["href"], children[namespace + "checksum"].text


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()
