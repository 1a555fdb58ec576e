# SPDX-License-Identifier: Apache-2.0
"""Disposable CentOS-like hosts for `make up`, Molecule, the tests and the benchmark.

Read it in the order of its work: `setting` (online or offline), `engine` (which Docker engine carries the lab),
`images` (what the hosts are made of, from `rootfs`, `yum_repository` and `host/`), `hosts`, `inventory`, `status`.
`workbench` offers the same to programs.
"""
