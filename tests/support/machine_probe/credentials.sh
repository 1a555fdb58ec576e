# SPDX-License-Identifier: Apache-2.0
# Reports the credentials of the instance role: the token, pulls with it, and pulls after its rotation.
pull() {
    docker image rm --force alice/private >/dev/null 2>&1
    docker "$@" pull --quiet alice/private 2>&1
}

say check "$(systemctl show --property Result --property ActiveState --value docker-auth-check.service)"
say ready "$(slipway-ready)"
say metadata_without_session "$(curl --silent --output /dev/null --write-out '%{http_code}' http://169.254.169.254/latest/meta-data/)"
say credentials "$(echo https://index.docker.io/v1/ | docker-credential-slipway get)"
say pull "$(pull)"
say pull_without_the_helper "$(pull --config /var/empty)"
say next rotate
session=$(curl --silent --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 600' http://169.254.169.254/latest/api/token)
until curl --silent --fail --header "X-aws-ec2-metadata-token: $session" http://169.254.169.254/latest/meta-data/tags/instance/rotated; do
    sleep 1
done
say pull_after_rotation "$(pull)"
