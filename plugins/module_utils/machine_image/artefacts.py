# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The list of what must not ship in an image, shared by the seal and the checker.

Compared on 2026-11-29, one by one, with virt-sysprep's operations (guestfs-tools, commit 58a50b30), with cloud-init's
clean (commit 01dd4eeb) and with AWS' recommendations for shared Linux AMIs: docs/development/sealed-artefacts.md has
the result, docs/development/lists.md how to refresh it.
"""

import collections

# What must be true of files that match a pattern.
ABSENT = "absent"
EMPTY = "empty"  # or absent
EMPTY_FILE = "empty file"  # and not absent
NO_FILE = "no file"  # a symbolic link is allowed
NO_PROXY = "no proxy"  # no line that sets one
NO_PROXY_IN_SHELL = "no proxy in a shell script"  # the same, for files in which a line may be part of a command
NO_MACHINE = "no machine"  # absent if a line contains this machine's hardware or IP address
NO_PASSWORD = "no password"  # no account with a usable or empty password
NO_GROUP_PASSWORD = "no group password"
HELPERS_ONLY = "helpers only"  # a config.json that only names credential helpers

# Patterns are relative to their base; ** at the end matches every file below. tree.py says which links are followed.
Artefact = collections.namedtuple("Artefact", "what rule patterns")

# If it were missing or "uninitialized", systemd would treat the next boot as the first and apply presets to all units.
MACHINE_ID = Artefact("a machine-id that is not an empty file", EMPTY_FILE, ["etc/machine-id"])
AUTHORIZED_KEYS = Artefact("authorized SSH keys", ABSENT, [".ssh/authorized_keys*"])
# In the files that sshd_config names; see login_keys.py.
OTHER_KEYS = Artefact("authorized SSH keys", ABSENT, [])
# Followed by names in the message.
PASSWORDS = Artefact("a usable or empty password for", NO_PASSWORD, ["etc/passwd", "etc/shadow"])
GROUP_PASSWORDS = Artefact("a usable password for the group", NO_GROUP_PASSWORD, ["etc/group", "etc/gshadow"])

SYSTEM = [
    MACHINE_ID,
    Artefact("a copy of the machine-id", NO_FILE, ["var/lib/dbus/machine-id"]),
    Artefact("an SSH host key", ABSENT, ["etc/ssh/*_host_*"]),
    Artefact("this machine's host name", EMPTY, ["etc/hostname"]),
    Artefact(
        "cloud-init state",
        ABSENT,
        ["var/lib/cloud/" + name for name in ("data", "instance", "instances", "seed", "sem")],
    ),
    Artefact(
        "a network configuration that cloud-init wrote",
        ABSENT,
        [
            *("etc/systemd/network/10-cloud-init-*", "etc/netplan/50-cloud-init.yaml"),
            "etc/network/interfaces.d/50-cloud-init*",
            *("etc/NetworkManager/conf.d/" + name for name in ("99-cloud-init.conf", "30-cloud-init-ip6-*.conf")),
        ],
    ),
    Artefact("the result of a first boot", ABSENT, ["var/lib/slipway/firstboot/**"]),
    Artefact("first-boot settings from user data", ABSENT, ["etc/slipway/firstboot-instance.json"]),
    Artefact(
        "a DHCP lease",
        ABSENT,
        ["var/lib/dhclient/**", "var/lib/dhcp/**", "var/lib/dhcpcd/**", "var/lib/NetworkManager/*.lease"],
    ),
    Artefact("NetworkManager's secret key", ABSENT, ["var/lib/NetworkManager/secret_key"]),
    Artefact("a network connection of this machine", ABSENT, ["etc/NetworkManager/system-connections/*"]),
    Artefact("a network connection of this machine", NO_MACHINE, ["etc/sysconfig/network-scripts/ifcfg-*"]),
    Artefact("interface names of this machine's network cards", NO_FILE, ["etc/udev/rules.d/70-persistent-net.rules"]),
    Artefact("a package cache", ABSENT, ["var/cache/dnf/**", "var/cache/libdnf5/**", "var/cache/yum/**"]),
    Artefact(
        "the package history",
        ABSENT,
        ["var/lib/dnf/history*", "var/lib/yum/history/**", "usr/lib/sysimage/libdnf5/transaction_history*"],
    ),
    Artefact("the journal", ABSENT, ["var/log/journal/**"]),
    Artefact("a log", EMPTY, ["var/log/**", "var/named/data/named.run*"]),
    Artefact("login records", ABSENT, ["var/lib/wtmpdb/**", "var/lib/lastlog/**"]),
    Artefact("a temporary file", ABSENT, ["tmp/**", "var/tmp/**"]),
    Artefact("a core dump", ABSENT, ["var/lib/systemd/coredump/**", "var/crash/**", "var/spool/abrt/**"]),
    Artefact(
        "a random seed",
        ABSENT,
        [
            where + "/random-seed"
            for where in ("var/lib", "var/lib/systemd", "boot/loader", "boot/efi/loader", "efi/loader")
        ],
    ),
    Artefact("the key for systemd credentials", ABSENT, ["var/lib/systemd/credential.secret"]),
    Artefact(
        "a backup of the account files",
        ABSENT,
        [
            "etc/" + form.format(name)
            for name in ("passwd", "shadow", "group", "gshadow", "subuid", "subgid")
            for form in ("{}-", "{}~", "{}.bak*", "{}.old*", "{}.orig*", "{}.rpmsave", ".{}.sw?")
        ],
    ),
    # Of pam_pwhistory and pam_unix. Packages of PAM install an empty one.
    Artefact("hashes of old passwords", EMPTY, ["etc/security/opasswd*", "etc/security/nopasswd*"]),
    Artefact(
        "the installer's kickstart file or log",
        ABSENT,
        [
            *("root/anaconda-ks.cfg", "root/original-ks.cfg", "root/initial-setup-ks.cfg"),
            *("root/install.log*", "root/anaconda-post*.log"),
        ],
    ),
    Artefact("a package index login", ABSENT, ["etc/pip.conf", "etc/xdg/pip/pip.conf"]),
    Artefact("the build's proxy", ABSENT, ["etc/profile.d/*proxy*.sh"]),
    Artefact(
        "the build's proxy",
        NO_PROXY,
        [
            *("etc/environment", "etc/wgetrc", "etc/yum.conf", "etc/dnf/dnf.conf", "etc/gitconfig"),
            *("etc/systemd/system.conf", "etc/systemd/system.conf.d/*.conf"),
        ],
    ),
    Artefact(
        "the build's proxy",
        NO_PROXY_IN_SHELL,
        ["etc/profile", "etc/profile.d/*.sh", "etc/bashrc", "etc/zshenv", "etc/zprofile", "etc/zshrc"],
    ),
    Artefact("the engine's key", ABSENT, ["etc/docker/key.json"]),
    Artefact("this machine's name for network storage", ABSENT, ["etc/iscsi/initiatorname.iscsi", "etc/nvme/host*"]),
    Artefact(
        "this machine's storage configuration",
        ABSENT,
        [
            *("var/lib/iscsi/" + name + "/**" for name in ("nodes", "send_targets", "isns", "slp", "static")),
            *("etc/lvm/devices/" + name for name in ("system.devices*", "backup/**")),
        ],
    ),
    Artefact(
        "a Kerberos key",
        ABSENT,
        [
            *("etc/krb5.keytab", "var/lib/sss/keytabs/**", "var/lib/gssproxy/clients/**"),
            *("var/kerberos/krb5/user/**", "var/kerberos/krb5kdc/principal*", "var/kerberos/krb5kdc/.k5.*"),
            "var/kerberos/krb5kdc/*.keytab",
        ],
    ),
    Artefact(
        "this machine's domain membership",
        ABSENT,
        [
            *("var/lib/samba/private/**", "var/lib/samba/*.tdb", "var/lib/samba/*/*.tdb"),
            *("etc/ipa/default.conf", "var/lib/ipa-client/sysrestore/**", "var/lib/ipa-client/pki/**"),
        ],
    ),
    Artefact(
        "SSSD's cache of users and passwords",
        ABSENT,
        ["var/lib/sss/" + name + "/**" for name in ("db", "mc", "secrets", "gpo_cache", "deskprofile")],
    ),
    Artefact(
        "this machine's subscription",
        ABSENT,
        [
            *("etc/pki/consumer/**", "etc/pki/entitlement/**"),
            *("etc/sysconfig/rhn/systemid", "etc/sysconfig/rhn/osad-auth.conf"),
            *("var/lib/rhsm/cache/**", "var/lib/rhsm/facts/**"),
            *("etc/insights-client/" + name for name in ("machine-id", ".registered", ".unregistered", ".lastupload")),
        ],
    ),
    Artefact("this machine's registration with AWS", ABSENT, ["var/lib/ecs/data/**", "var/lib/amazon/ssm/**"]),
    Artefact("this machine's ID for yum", ABSENT, ["var/lib/yum/uuid"]),
    Artefact("this machine's hardware ID", ABSENT, ["etc/sysconfig/hw-uuid", "etc/smolt/uuid", "etc/smolt/hw-uuid"]),
    Artefact("a list of this machine's disks", ABSENT, ["etc/blkid/blkid.tab*", "etc/blkid.tab*"]),
    Artefact("process accounting", EMPTY, ["var/account/pacct*"]),
    Artefact("failed logins", ABSENT, ["var/lib/faillock/**"]),
    Artefact("a lease of a DHCP server", EMPTY, ["var/lib/dhcpd/*.leases*", "var/lib/kea/*.csv*"]),
    Artefact("a key or state of a mail server", ABSENT, ["var/lib/dovecot/**", "etc/pki/dovecot/private/*"]),
    Artefact("a fingerprint of a user", ABSENT, ["var/lib/fprint/**"]),
    Artefact("a key of a cluster", ABSENT, ["etc/corosync/authkey", "etc/pacemaker/authkey", "etc/munge/munge.key"]),
    Artefact(
        "what Puppet keeps of this node",
        ABSENT,
        [
            *("etc/puppetlabs/puppet/ssl/**", "var/lib/puppet/**"),
            *("opt/puppetlabs/puppet/cache/" + name + "/**" for name in ("client_data", "clientbucket", "state")),
        ],
    ),
    Artefact("this minion's key for Salt", ABSENT, ["etc/salt/pki/minion/minion.p*", "etc/salt/minion_id"]),
    Artefact(
        "an administrator's kubeconfig",
        ABSENT,
        ["etc/kubernetes/*admin.conf", "etc/rancher/k3s/k3s.yaml", "etc/rancher/rke2/rke2.yaml"],
    ),
    Artefact("mail", EMPTY, ["var/spool/mail/**", "var/mail/**"]),
    Artefact(
        "mail in a queue",
        ABSENT,
        [
            *("var/spool/postfix/" + name + "/**" for name in ("active", "bounce", "corrupt", "defer", "deferred")),
            *(
                "var/spool/postfix/" + name + "/**"
                for name in ("flush", "hold", "incoming", "maildrop", "saved", "trace")
            ),
            *("var/spool/mqueue/**", "var/spool/clientmqueue/**", "var/spool/exim/*/**"),
        ],
    ),
    # Its name is a letter, or = while it runs, and the hexadecimal digits of its number and its time.
    Artefact(
        "a scheduled at job",
        ABSENT,
        ["var/spool/at/[a-zA-Z=]" + 13 * "[0-9a-f]", "var/spool/at/spool/**"]
        + ["var/spool/" + name + "/**" for name in ("atjobs", "atspool", "cron/atjobs", "cron/atspool")],
    ),
]

ENGINE = [
    Artefact("the engine's ID", ABSENT, ["engine-id"]),
    Artefact("the engine's swarm state", ABSENT, ["swarm/**"]),
    Artefact("the engine's networks", ABSENT, ["network/files/local-kv.db"]),
]

HOME = [
    AUTHORIZED_KEYS,
    Artefact(
        "a command history",
        ABSENT,
        [
            *(".*_history", ".history", ".histfile", ".zhistory", ".lesshst", ".viminfo"),
            ".local/share/fish/fish_history",
        ],
    ),
    Artefact("a registry login", HELPERS_ONLY, [".docker/config.json"]),
    Artefact("AWS credentials", ABSENT, [".aws/**"]),
    Artefact("files left by Ansible", ABSENT, [".ansible/**", ".ansible_async/**"]),
    Artefact(
        "stored passwords",
        ABSENT,
        [
            *(".netrc", ".git-credentials", ".config/git/credentials", ".pgpass", ".my.cnf", ".mylogin.cnf"),
            *(".smbcredentials", ".s3cfg", ".boto", ".config/rclone/rclone.conf", ".rclone.conf", ".dbshell"),
        ],
    ),
    Artefact(
        "a login to a cloud",
        ABSENT,
        [
            *(".config/gcloud/**", ".azure/**", ".oci/**", ".config/doctl/**", ".config/hcloud/**", ".fly/config.yml"),
            *(".config/openstack/clouds*.y*ml", ".bluemix/config.json", ".databrickscfg", ".snowsql/config"),
        ],
    ),
    Artefact("a login to a cluster", ABSENT, [".kube/config", ".kube/cache/**", ".minikube/**"]),
    Artefact(
        "a login of a tool",
        ABSENT,
        [
            *(".terraform.d/credentials.tfrc.json", ".terraformrc", ".vault-token", ".config/gh/hosts.yml"),
            *(".config/hub", ".config/glab-cli/config.yml", ".gem/credentials", ".cargo/credentials*"),
            *(".config/helm/registry/config.json", ".config/containers/auth.json", ".m2/settings-security.xml"),
            *(".config/op/config", ".pulumi/credentials.json", ".huggingface/token", ".cache/huggingface/token"),
        ],
    ),
    Artefact("a password store", ABSENT, [".password-store/**"]),
    Artefact("a GnuPG private key", ABSENT, [".gnupg/private-keys-v1.d/**"]),
    Artefact("a package index login", ABSENT, [".pip/pip.conf", ".config/pip/pip.conf", ".pypirc"]),
    Artefact("the build's proxy", NO_PROXY, [".curlrc", ".wgetrc", ".gitconfig", ".config/git/config"]),
    Artefact(
        "the build's proxy",
        NO_PROXY_IN_SHELL,
        [".bashrc", ".bash_profile", ".bash_login", ".profile", ".zshenv", ".zprofile", ".zshrc"],
    ),
    # Of a rootless engine.
    *(
        Artefact(what, rule, [".local/share/docker/" + pattern for pattern in patterns])
        for what, rule, patterns in ENGINE
    ),
]

# Names of files that hold credentials wherever they are, except in what packages install below /usr. No package of a
# distribution installs into these folders.
NOT_OF_PACKAGES = ("/usr/local/",)
EVERYWHERE = {
    **dict.fromkeys((".env", ".pgpass", ".my.cnf", ".mylogin.cnf", ".git-credentials"), "stored passwords"),
    **dict.fromkeys(("rclone.conf", ".vault-token", ".s3cfg", ".netrc"), "stored passwords"),
    **dict.fromkeys(("terraform.tfstate", "terraform.tfstate.backup"), "the state of Terraform, with all its secrets"),
    "kubeconfig": "a login to a cluster",
}
# The same, by the end of their names.
ENDINGS = {
    ".keytab": "a Kerberos key",
    ".kdbx": "stored passwords",
    **dict.fromkeys((".p12", ".pfx"), "a certificate with its private key"),
}
