# Rendered from dockerfiles/images.yml by `slipway-images render`: edit that, or the template.
ARG BASE=slipway.invalid/python:3.11
FROM ${BASE} AS build
# Only this stage has compilers and runs as root.
# hadolint ignore=DL3002
USER 0:0

RUN python -m venv --without-pip /srv/venv
COPY requirements.txt /srv/app/
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip.conf,target=/root/.pip/pip.conf \
    pip --python /srv/venv install --disable-pip-version-check --root-user-action=ignore \
        --require-hashes --requirement /srv/app/requirements.txt

FROM ${BASE}
LABEL org.opencontainers.image.title="app" \
      org.opencontainers.image.description="An example service on the Python image" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/slipway/platform"

# Only the packages of the service: no pip, no compiler.
COPY --from=build /srv/venv /srv/venv
ENV PATH="/srv/venv/bin:${PATH}"
COPY . /srv/app/
WORKDIR /srv/app
EXPOSE 8000
USER 10001:10001
HEALTHCHECK --interval=5s --timeout=3s \
    --start-period=2s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=2)"]
CMD ["python", "service.py"]
