# SPDX-License-Identifier: Apache-2.0
"""The parts of Slipway that are not Ansible: images, the lab of disposable hosts, manifests."""
