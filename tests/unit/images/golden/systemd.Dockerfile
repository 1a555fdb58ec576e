# Rendered from dockerfiles/images.yml by `slipway-images render`: edit that, or the template.
ARG BASE=slipway.invalid/base:9
FROM ${BASE}

LABEL org.opencontainers.image.title="systemd" \
      org.opencontainers.image.description="A container that boots systemd, as a host for tests" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/slipway/platform"

RUN --mount=type=cache,target=/var/cache/dnf,sharing=locked \
    dnf --assumeyes --nodocs --setopt=install_weak_deps=False install \
        dbus-broker \
        gnupg2 \
        iproute \
        iptables-nft \
        kmod \
        openssh-server \
        procps-ng \
        python3 \
        sudo \
        systemd \
        util-linux \
    && rm -rf /var/log/dnf.* /var/log/hawkey.log

RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
    && chmod u+s /usr/bin/su /usr/bin/sudo

RUN printf '%s\n' \
        '[Unit]' 'Description=Make /proc/sys writable' 'DefaultDependencies=no' 'Before=sysinit.target' \
        '[Service]' 'Type=oneshot' 'ExecStart=/bin/mount -o remount,rw /proc/sys' \
        '[Install]' 'WantedBy=sysinit.target' \
        >/etc/systemd/system/proc-sys-writable.service \
    && systemctl enable proc-sys-writable.service

RUN systemctl mask \
        console-getty.service \
        getty.target \
        systemd-remount-fs.service \
        systemd-udevd.service \
        tmp.mount

STOPSIGNAL SIGRTMIN+3
ENTRYPOINT []
# It runs as root: systemd is process 1.
# hadolint ignore=DL3002
USER 0:0
HEALTHCHECK --interval=30s --timeout=5s \
    --start-period=10s --retries=3 \
    CMD ["systemctl", "is-active", "--quiet", "multi-user.target"]
CMD ["/usr/sbin/init"]
