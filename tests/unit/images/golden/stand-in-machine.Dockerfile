# Rendered from dockerfiles/images.yml by `slipway-images render`: edit that, or the template.
ARG BASE=slipway/stand-in:lab
FROM ${BASE}

LABEL org.opencontainers.image.title="stand-in-machine" \
      org.opencontainers.image.description="A machine of the lab, which boots by itself" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/slipway/platform"

RUN rm /etc/ssh/ssh_host_*_key* \
    && install -D --mode=644 --target-directory=/etc/systemd/system/ssh.service.d /usr/share/slipway/host-keys.conf

# The one network stack; and cloud-init cannot set Debian's locale without the packages for that.
RUN systemctl enable systemd-networkd.service \
    && echo 'locale: false' >/etc/cloud/cloud.cfg.d/10_stand-in.cfg

# It runs as root: systemd is process 1.
# hadolint ignore=DL3002
USER 0:0
# There is nothing to ask: nobody runs it as a container.
HEALTHCHECK NONE
CMD ["/usr/sbin/init"]
