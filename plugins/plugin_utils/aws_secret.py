# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A secret in AWS Secrets Manager, with the interface of a SecretFile.

The controller's credentials and region are those of the AWS tools: AWS_PROFILE, AWS_REGION, an instance's role.
"""

from ansible_collections.slipway.platform.plugins.plugin_utils.secret_file import SecretFile, SecretFileError

PREFIX = "aws_secret:"


def secret_place(path, vault):
    """Return the place that a path names: aws_secret:<name or ARN>, or a file on the controller."""
    return AwsSecret(path[len(PREFIX) :]) if path.startswith(PREFIX) else SecretFile(path, vault)


class AwsSecret:
    """The secret. AWS keeps the value before each change, as its version AWSPREVIOUS."""

    def __init__(self, name):
        self.name, self.path = name, PREFIX + name

    def read(self):
        """Return the secret, "" if it does not exist. Raises SecretFileError."""
        found = self._ask("get_secret_value", SecretId=self.name)
        return found.get("SecretString", "") if found else ""

    def is_protected(self):
        return True

    def require_writable(self):
        """Raise SecretFileError unless AWS lets the secret be read; whether it can be written, only a write tells."""
        self.read()

    def write(self, secret):
        if self._ask("put_secret_value", SecretId=self.name, SecretString=secret) is None:
            self._ask("create_secret", Name=self.name, SecretString=secret)

    def _ask(self, action, **arguments):
        """Return AWS's answer, None if the secret does not exist. Raises SecretFileError."""
        try:
            import boto3
            from botocore import exceptions
        except ImportError as error:
            raise SecretFileError(
                f"{self.path} needs boto3, which is missing in the controller's Python: install it there"
            ) from error
        try:
            return getattr(boto3.client("secretsmanager"), action)(**arguments)
        except exceptions.ClientError as error:
            reason = error.response.get("Error", {})
            if reason.get("Code") == "ResourceNotFoundException":
                return None
            raise SecretFileError(
                "AWS refuses {} for {} ({}): allow it to the controller's credentials, or correct the name".format(
                    "secretsmanager:" + "".join(part.title() for part in action.split("_")),
                    self.path,
                    reason.get("Message") or reason.get("Code"),
                )
            ) from error
        except exceptions.BotoCoreError as error:
            raise SecretFileError(
                f"{self.path} cannot be reached ({error}): set AWS_REGION, and AWS_PROFILE or other credentials"
            ) from error
