# SPDX-License-Identifier: Apache-2.0
"""The lab's folder. It is inside the clone, so that `make down` can remove everything."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
LAB = PROJECT / ".lab"
