# Rendered from dockerfiles/images.yml by `slipway-images render`: edit that, or the template.
ARG BASE=slipway/stand-in:lab
FROM ${BASE}

LABEL org.opencontainers.image.title="stand-in-base" \
      org.opencontainers.image.description="What images are built on, where no registry can be reached" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/slipway/platform"

COPY baseos.repo /etc/yum.repos.d/
COPY pip.conf /etc/
RUN rm /etc/ssh/ssh_host_*_key* \
    && install -D --mode=644 --target-directory=/etc/systemd/system/ssh.service.d /usr/share/slipway/host-keys.conf

STOPSIGNAL SIGTERM
# It runs as root: images that stand on it install packages.
# hadolint ignore=DL3002
USER 0:0
# There is nothing to ask: it runs no service.
HEALTHCHECK NONE
CMD ["/bin/bash"]
