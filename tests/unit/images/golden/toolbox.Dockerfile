# Rendered from dockerfiles/images.yml by `slipway-images render`: edit that, or the template.
ARG BASE=slipway.invalid/python:3.11
FROM ${BASE}

LABEL org.opencontainers.image.title="toolbox" \
      org.opencontainers.image.description="Slipway's playbooks and roles with ansible-core" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/slipway/platform"

USER 0:0
RUN --mount=type=cache,target=/var/cache/dnf,sharing=locked \
    dnf --assumeyes --nodocs --setopt=install_weak_deps=False install \
        openssh-clients \
    && rm -rf /var/log/dnf.* /var/log/hawkey.log

RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} +

COPY dockerfiles/contexts/toolbox/requirements.txt /usr/share/slipway/
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip.conf,target=/root/.pip/pip.conf \
    pip --python /opt/venv install --disable-pip-version-check --root-user-action=ignore \
        --require-hashes --requirement /usr/share/slipway/requirements.txt

ENV ANSIBLE_COLLECTIONS_PATH=/usr/share/ansible/collections
COPY . /usr/share/ansible/collections/ansible_collections/slipway/platform/

# Mount point for inventory and playbooks.
WORKDIR /work
USER 10001:10001
# No health check: it runs a command and exits.
HEALTHCHECK NONE
CMD ["ansible-playbook", "--version"]
