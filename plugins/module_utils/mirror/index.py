# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Compare the metadata that createrepo_c wrote for a repository with its packages."""

import gzip
import os
import xml.etree.ElementTree as ET

from ansible_collections.slipway.platform.plugins.module_utils.host.files import sha256

REPO = "{http://linux.duke.edu/metadata/repo}"
COMMON = "{http://linux.duke.edu/metadata/common}"


def fits(folder, packages):
    """Return whether the metadata is intact and lists exactly these packages, by path and digest."""
    try:
        listed = read_primary(os.path.join(folder, verified(folder)["primary"]))
    except (OSError, KeyError, ET.ParseError):
        return False
    return listed == {os.path.relpath(path, folder): sha256(path) for path in packages}


def verified(folder):
    """Map the type of each metadata file to its path; raise KeyError if a checksum in repomd.xml does not match."""
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
