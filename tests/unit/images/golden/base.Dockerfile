# Rendered from dockerfiles/images.yml by `slipway-images render`: edit that, or the template.
ARG BASE=quay.io/centos/centos:stream9
FROM ${BASE}

LABEL org.opencontainers.image.title="base" \
      org.opencontainers.image.description="Updated CentOS Stream with CA certificates, an init and a locale" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/slipway/platform"

ENV LANG="C.UTF-8"

RUN --mount=type=cache,target=/var/cache/dnf,sharing=locked \
    dnf --assumeyes --nodocs --setopt=install_weak_deps=False upgrade \
    && rm -rf /var/log/dnf.* /var/log/hawkey.log

RUN --mount=type=cache,target=/var/cache/dnf,sharing=locked \
    dnf --assumeyes --nodocs --setopt=install_weak_deps=False install \
        ca-certificates \
    && rm -rf /var/log/dnf.* /var/log/hawkey.log

RUN --mount=type=cache,target=/var/cache/dnf,sharing=locked \
    dnf --assumeyes --nodocs --setopt=install_weak_deps=False install epel-release \
    && dnf --assumeyes --nodocs --setopt=install_weak_deps=False install \
        tini \
    && dnf --assumeyes remove epel-release \
    && rm -rf /var/log/dnf.* /var/log/hawkey.log

RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} +

STOPSIGNAL SIGTERM
# It runs as root: images based on it install packages.
# hadolint ignore=DL3002
USER 0:0
# No health check: it runs no service.
HEALTHCHECK NONE
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["/bin/bash"]
