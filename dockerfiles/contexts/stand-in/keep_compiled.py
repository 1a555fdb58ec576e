# SPDX-License-Identifier: Apache-2.0
"""Keeps what Python compiles of Ansible's modules, which reach a host as archives of sources, for the next hosts.

It is a third of the CPU time of most modules. Every Python of a stand-in starts with this (keep_compiled.pth); it does
nothing where the folder is missing, which all hosts of an engine share.
"""

import _imp
import importlib.machinery
import importlib.util
import marshal
import os
import sys
import zipimport

FOLDER = "/var/cache/keep-compiled"
MAGIC = int.from_bytes(importlib.util.MAGIC_NUMBER, "little")

# It writes a file whole or not at all, and leaves alone what this user may not write.
files = importlib.machinery.SourceFileLoader("", "")
compile_source = zipimport._compile_source


def compile_once(path, source):
    file = f"{FOLDER}/{sys.implementation.cache_tag}-{_imp.source_hash(MAGIC, source).hex()}"
    try:
        code = marshal.loads(files.get_data(file))
    except (OSError, EOFError, ValueError):
        code = compile_source(path, source)
        files.set_data(file, marshal.dumps(code))
    else:
        _imp._fix_co_filename(code, path)  # each archive has a path of its own
    return code


if os.access(FOLDER, os.F_OK):
    zipimport._compile_source = compile_once
