# Rendered from dockerfiles/images.yml by `slipway-images render`: edit that, or the template.
ARG BASE=slipway.invalid/stand-in:el9
FROM ${BASE}

LABEL org.opencontainers.image.title="stand-in-machine" \
      org.opencontainers.image.description="A lab machine that boots on its own" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/slipway/platform"

RUN rm /etc/ssh/ssh_host_*_key* \
    && install -D --mode=644 --target-directory=/etc/systemd/system/ssh.service.d /usr/share/slipway/host-keys.conf

# The network stack. cloud-init must not set the locale: Debian's packages for that are missing.
RUN systemctl enable systemd-networkd.service \
    && echo 'locale: false' >/etc/cloud/cloud.cfg.d/10_stand-in.cfg

# It runs as root: systemd is process 1.
# hadolint ignore=DL3002
USER 0:0
# No health check: it is not run as a container.
HEALTHCHECK NONE
CMD ["/usr/sbin/init"]
