# Rendered from dockerfiles/images.yml by `slipway-images render`: edit that, or the template.
ARG BASE=slipway.invalid/base:10
FROM ${BASE}

LABEL org.opencontainers.image.title="node" \
      org.opencontainers.image.description="Node.js 22" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/slipway/platform"

RUN --mount=type=cache,target=/var/cache/dnf,sharing=locked \
    dnf --assumeyes --nodocs --setopt=install_weak_deps=False install \
        nodejs \
    && rm -rf /var/log/dnf.* /var/log/hawkey.log

RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} +

RUN groupadd --gid 10001 app \
    && useradd --uid 10001 --gid 10001 --create-home --shell /sbin/nologin app

USER 10001:10001
# No health check: each service defines its own.
HEALTHCHECK NONE
CMD ["node"]
