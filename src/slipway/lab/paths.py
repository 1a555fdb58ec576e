# SPDX-License-Identifier: Apache-2.0
"""Where the lab keeps things. All of it lies below the clone, so that `make down` can remove all of it."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
LAB = PROJECT / ".lab"
