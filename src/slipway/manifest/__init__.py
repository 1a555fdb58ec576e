# SPDX-License-Identifier: Apache-2.0
"""Manifests of machine images, written by the role machine_image_provenance, and their comparison."""
