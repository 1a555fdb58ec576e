# Rendered from dockerfiles/images.yml by `slipway-images render`: edit that, or the template.

ARG REPOSITORY=slipway.invalid/stand-in-repository:lab
ARG BASE=slipway.invalid/stand-in-rootfs:lab
# Provides the CA certificate of the lab, the release rpm, and an image for nested engines.
FROM ${REPOSITORY} AS repository
FROM ${BASE}
LABEL org.opencontainers.image.title="stand-in" \
      org.opencontainers.image.description="A Debian root file system that dnf, rpm and Ansible treat as CentOS Stream 9" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/slipway/platform"

COPY --from=repository /srv/slipway/keys/ca.crt /usr/local/share/ca-certificates/slipway-lab.crt
COPY --from=repository /srv/slipway/releases/el9.rpm /usr/share/slipway/release.rpm
COPY --from=repository /srv/slipway/www/images/hello.tar /usr/share/slipway/
COPY os-releases/el9 /usr/lib/os-release
COPY boot-on-groups-v2.sh disguise.sh host-keys.conf keep_compiled.py /usr/share/slipway/
RUN sh /usr/share/slipway/disguise.sh
# It runs as root: hosts and base images are built on it.
# hadolint ignore=DL3002
USER 0:0
# No health check: it runs no service.
HEALTHCHECK NONE
