# SPDX-License-Identifier: Apache-2.0
"""The pages of docs that are generated from code and tests, and the site that is built of all pages."""
