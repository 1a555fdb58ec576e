# Rendered from dockerfiles/images.yml by `slipway-images render`: edit that, or the template.
ARG BASE=slipway.invalid/base:9
FROM ${BASE}

LABEL org.opencontainers.image.title="python" \
      org.opencontainers.image.description="Python 3.11 in a virtual environment" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/slipway/platform"

ENV PYTHONUNBUFFERED="1"

RUN --mount=type=cache,target=/var/cache/dnf,sharing=locked \
    dnf --assumeyes --nodocs --setopt=install_weak_deps=False install \
        python3.11 \
    && rm -rf /var/log/dnf.* /var/log/hawkey.log

# Packages of the service, separate from those of the distribution; its user cannot change them.
RUN python3.11 -m venv /opt/venv
ENV PATH="/opt/venv/bin:${PATH}"

RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} +

RUN groupadd --gid 10001 app \
    && useradd --uid 10001 --gid 10001 --create-home --shell /sbin/nologin app

USER 10001:10001
# No health check: each service defines its own.
HEALTHCHECK NONE
CMD ["python"]
