# Rendered from dockerfiles/images.yml by `slipway-images render`: edit that, or the template.
ARG BASE=slipway.invalid/stand-in:el9
FROM ${BASE}

LABEL org.opencontainers.image.title="stand-in-base" \
      org.opencontainers.image.description="The base of images that are built without access to registries" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/slipway/platform"

COPY baseos.repo /etc/yum.repos.d/
COPY pip.conf /etc/
RUN rm /etc/ssh/ssh_host_*_key* \
    && install -D --mode=644 --target-directory=/etc/systemd/system/ssh.service.d /usr/share/slipway/host-keys.conf

STOPSIGNAL SIGTERM
# It runs as root: images based on it install packages.
# hadolint ignore=DL3002
USER 0:0
# No health check: it runs no service.
HEALTHCHECK NONE
CMD ["/bin/bash"]
