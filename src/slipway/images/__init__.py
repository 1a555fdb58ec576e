# SPDX-License-Identifier: Apache-2.0
"""A team's own base images: a matrix and a few templates, rendered, linted, built, tested and published.

`matrix` reads dockerfiles/images.yml into `Image`s, `render` writes their Dockerfiles, `build` builds them in the order
of their dependencies, `verify` tests them, `push` publishes them.
"""
