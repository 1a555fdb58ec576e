# SPDX-License-Identifier: Apache-2.0
"""A team's own base images: a matrix and a few templates, rendered, linted, built, tested and published.

The way of an image: `matrix` reads dockerfiles/images.yml into `Image`s, `render` makes their Dockerfiles, `build`
builds them in the order in which they stand on each other, `verify` tests them, `push` publishes them.
"""
