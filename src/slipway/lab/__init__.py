# SPDX-License-Identifier: Apache-2.0
"""Disposable CentOS-like hosts for `make up`, Molecule, the tests and the benchmark.

Read the modules in this order: `setting` (online or offline), `engine` (the Docker engine that runs the lab), `images`
(the images of hosts, from `rootfs` and `yum_repository`), `hosts`, `inventory`, `status`. `workbench` is the interface
for tests and other programs.
"""
