# Rendered from dockerfiles/images.yml by `slipway-images render`: edit that, or the template.

ARG REPOSITORY=slipway/stand-in-repository:lab
ARG BASE=slipway/stand-in-rootfs:lab
# It has the authority of the lab's certificates, the first rpm, and an image for nested engines.
FROM ${REPOSITORY} AS repository
FROM ${BASE}
LABEL org.opencontainers.image.title="stand-in" \
      org.opencontainers.image.description="A Debian root file system that dnf, rpm and Ansible take for CentOS Stream 9" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/slipway/platform"

COPY --from=repository /srv/slipway/keys/ca.crt /usr/local/share/ca-certificates/slipway-lab.crt
COPY --from=repository /srv/slipway/centos-stream-release.rpm /srv/slipway/www/images/hello.tar /usr/share/slipway/
COPY os-release /usr/lib/os-release
COPY disguise.sh host-keys.conf /usr/share/slipway/
RUN sh /usr/share/slipway/disguise.sh
# It runs as root: hosts and base images stand on it.
# hadolint ignore=DL3002
USER 0:0
# There is nothing to ask: it runs no service.
HEALTHCHECK NONE
