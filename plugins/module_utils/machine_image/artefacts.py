# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The one list of what must not ship in an image; the seal and the checker both go by it."""

import collections

# What is asked of the files that match a pattern.
ABSENT = "absent"
EMPTY = "empty"  # or absent
EMPTY_FILE = "empty file"  # and not absent
NO_FILE = "no file"  # a symbolic link may stay
NO_PROXY = "no proxy"  # no line that sets one
NO_PROXY_IN_SHELL = "no proxy in a shell's file"  # the same, where lines are parts of commands
NO_MACHINE = "no machine"  # absent where a line names this machine's hardware or address
HELPERS_ONLY = "helpers only"  # a config.json that says which helper has the credentials

# Patterns are relative to their base, a ** at the end is every file below. See tree.py for the links on the way.
Artefact = collections.namedtuple("Artefact", "what rule patterns")

# Missing, or "uninitialized", it would mean a first boot, in which systemd sets every unit to its preset.
MACHINE_ID = Artefact("a machine-id that is no empty file", EMPTY_FILE, ["etc/machine-id"])
AUTHORIZED_KEYS = Artefact("SSH keys that open this account", ABSENT, [".ssh/authorized_keys*"])

OF_THE_SYSTEM = [
    MACHINE_ID,
    Artefact("the machine-id once more", NO_FILE, ["var/lib/dbus/machine-id"]),
    Artefact("an SSH host key", ABSENT, ["etc/ssh/ssh_host_*"]),
    Artefact("this machine's name", EMPTY, ["etc/hostname"]),
    Artefact(
        "cloud-init's state",
        ABSENT,
        ["var/lib/cloud/" + name for name in ("data", "instance", "instances", "seed", "sem")],
    ),
    Artefact("a first boot's result", ABSENT, ["var/lib/slipway/firstboot/**"]),
    Artefact("what user data asked of a first boot", ABSENT, ["etc/slipway/firstboot-instance.json"]),
    Artefact(
        "a DHCP lease",
        ABSENT,
        ["var/lib/dhclient/**", "var/lib/dhcp/**", "var/lib/dhcpcd/**", "var/lib/NetworkManager/*.lease"],
    ),
    Artefact("NetworkManager's secret", ABSENT, ["var/lib/NetworkManager/secret_key"]),
    Artefact("a connection of this machine", ABSENT, ["etc/NetworkManager/system-connections/*"]),
    Artefact("a connection of this machine", NO_MACHINE, ["etc/sysconfig/network-scripts/ifcfg-*"]),
    Artefact("the names of this machine's network cards", NO_FILE, ["etc/udev/rules.d/70-persistent-net.rules"]),
    Artefact("a cache of packages", ABSENT, ["var/cache/dnf/**", "var/cache/libdnf5/**", "var/cache/yum/**"]),
    Artefact(
        "the history of packages",
        ABSENT,
        ["var/lib/dnf/history*", "var/lib/yum/history/**", "usr/lib/sysimage/libdnf5/transaction_history*"],
    ),
    Artefact("the journal", ABSENT, ["var/log/journal/**"]),
    Artefact("a log", EMPTY, ["var/log/**"]),
    Artefact("a record of logins", ABSENT, ["var/lib/wtmpdb/**", "var/lib/lastlog/**"]),
    Artefact("a temporary file", ABSENT, ["tmp/**", "var/tmp/**"]),
    Artefact("a core dump", ABSENT, ["var/lib/systemd/coredump/**", "var/crash/**", "var/spool/abrt/**"]),
    Artefact(
        "a seed of random numbers",
        ABSENT,
        [
            where + "/random-seed"
            for where in ("var/lib", "var/lib/systemd", "boot/loader", "boot/efi/loader", "efi/loader")
        ],
    ),
    Artefact("the key of systemd's credentials", ABSENT, ["var/lib/systemd/credential.secret"]),
    Artefact(
        "a backup of accounts",
        ABSENT,
        ["etc/" + name + "-" for name in ("passwd", "shadow", "group", "gshadow", "subuid", "subgid")],
    ),
    Artefact("the installer's answers", ABSENT, ["root/anaconda-ks.cfg", "root/original-ks.cfg"]),
    Artefact("a login at a package index", ABSENT, ["etc/pip.conf", "etc/xdg/pip/pip.conf"]),
    Artefact("a proxy of the bake", ABSENT, ["etc/profile.d/*proxy*.sh"]),
    Artefact(
        "a proxy of the bake",
        NO_PROXY,
        [
            *("etc/environment", "etc/wgetrc", "etc/yum.conf", "etc/dnf/dnf.conf", "etc/gitconfig"),
            *("etc/systemd/system.conf", "etc/systemd/system.conf.d/*.conf"),
        ],
    ),
    Artefact(
        "a proxy of the bake",
        NO_PROXY_IN_SHELL,
        ["etc/profile", "etc/profile.d/*.sh", "etc/bashrc", "etc/zshenv", "etc/zprofile", "etc/zshrc"],
    ),
    Artefact("the engine's key", ABSENT, ["etc/docker/key.json"]),
]

OF_THE_ENGINE = [
    Artefact("the engine's identity", ABSENT, ["engine-id"]),
    Artefact("the engine's swarm", ABSENT, ["swarm/**"]),
    Artefact("the engine's networks", ABSENT, ["network/files/local-kv.db"]),
]

OF_A_HOME = [
    AUTHORIZED_KEYS,
    Artefact(
        "a history of commands",
        ABSENT,
        [
            *(".*_history", ".history", ".histfile", ".zhistory", ".lesshst", ".viminfo"),
            ".local/share/fish/fish_history",
        ],
    ),
    Artefact("a login at a registry", HELPERS_ONLY, [".docker/config.json"]),
    Artefact("credentials of AWS", ABSENT, [".aws/**"]),
    Artefact("what Ansible left", ABSENT, [".ansible/**", ".ansible_async/**"]),
    Artefact("a password for machines", ABSENT, [".netrc", ".git-credentials", ".config/git/credentials"]),
    Artefact("a store of passwords", ABSENT, [".password-store/**"]),
    Artefact("a private key of GnuPG", ABSENT, [".gnupg/private-keys-v1.d/**"]),
    Artefact("a login at a package index", ABSENT, [".pip/pip.conf", ".config/pip/pip.conf", ".pypirc"]),
    Artefact("a proxy of the bake", NO_PROXY, [".curlrc", ".wgetrc", ".gitconfig", ".config/git/config"]),
    Artefact(
        "a proxy of the bake",
        NO_PROXY_IN_SHELL,
        [".bashrc", ".bash_profile", ".bash_login", ".profile", ".zshenv", ".zprofile", ".zshrc"],
    ),
    # One that runs without root.
    *(
        Artefact(what, rule, [".local/share/docker/" + pattern for pattern in patterns])
        for what, rule, patterns in OF_THE_ENGINE
    ),
]
