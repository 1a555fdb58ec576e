# SPDX-License-Identifier: Apache-2.0
"""Manifests of images, as the role image_provenance writes them, and what differs between two of them."""
