# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The table in the kernel: read, predict, load and delete it by nft."""

from ansible_collections.slipway.platform.plugins.module_utils.firewall.rules import TABLE

# Without the state of counters.
LIST = ("-s", "list", "table", "inet", TABLE)
# In a network namespace of its own, which vanishes with the process.
REHEARSAL = ("unshare", "--net", "sh", "-ec", '"$0" -f - && exec "$0" "$@"')


class TableError(Exception):
    """The table cannot be loaded; str() is the message, without a full stop."""


def live(module, nft):
    """Return the table as nft lists it, "" if there is none."""
    code, output, _ = module.run_command([nft, *LIST])
    return "" if code else output


def predicted(module, nft, text):
    """Return the table as nft would list it after loading the text, which is tried in an empty network namespace.

    Raise TableError if this nft or this kernel does not accept it.
    """
    code, output, errors = module.run_command([*REHEARSAL, nft, *LIST], data=text)
    if code:
        raise TableError(
            f"nft does not accept the rules on this host ({one_line(errors or output)}): update the kernel and the "
            "package nftables, or set docker_firewall_state: absent"
        )
    return output


def load(module, nft, text):
    """Replace the table in one transaction. Raise TableError."""
    code, output, errors = module.run_command([nft, "-f", "-"], data=text)
    if code:
        raise TableError(f"nft cannot load the rules ({one_line(errors or output)}): fix this and run again")


def delete(module, nft):
    code, output, errors = module.run_command([nft, "delete", "table", "inet", TABLE])
    if code:
        raise TableError(f"nft cannot delete the table {TABLE} ({one_line(errors or output)}): fix this and run again")


def one_line(text):
    return " ".join(text.split()).rstrip(".")
