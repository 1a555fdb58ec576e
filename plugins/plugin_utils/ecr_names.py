# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Names of registries of Amazon ECR, from which account, region and endpoint follow.

The controller checks inventories with it. In the package slipway_agent, aws/ecr_names.py is a link to it: an instance
parses the same names at each pull, with the Python 3.6 of EL 8.
"""

import re
from collections import namedtuple

# prefix: of the partition's regions. domain, dual_stack: ends of its registries' names; None where AWS has none.
# api: end of the dual-stack endpoints of the API. fips: whether there are FIPS endpoints.
Partition = namedtuple("Partition", ["name", "prefix", "domain", "dual_stack", "api", "fips"])
# account: None for ECR Public. region: where the token is requested.
Registry = namedtuple("Registry", ["account", "region", "partition", "is_fips", "is_dual_stack"])

# The last one has all regions that no other prefix matches.
PARTITIONS = (
    Partition(
        "aws-cn", "cn-", "amazonaws.com.cn", "on.amazonwebservices.com.cn", "api.amazonwebservices.com.cn", False
    ),
    Partition("aws-us-gov", "us-gov-", "amazonaws.com", "on.aws", "api.aws", True),
    Partition("aws-eusc", "eusc-", "amazonaws.eu", None, None, False),
    Partition("aws-iso", "us-iso-", "c2s.ic.gov", None, None, False),
    Partition("aws-iso-b", "us-isob-", "sc2s.sgov.gov", None, None, False),
    Partition("aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", None, None, False),
    Partition("aws-iso-f", "us-isof-", "csp.hci.ic.gov", None, None, False),
    Partition("aws", "", "amazonaws.com", "on.aws", "api.aws", True),
)
# Whether it is dual-stack, by name. ECR Public gives out tokens in one region only.
PUBLIC = {"public.ecr.aws": False, "ecr-public.aws.com": True}
PUBLIC_REGION = "us-east-1"
PRIVATE = re.compile(
    r"\A(?P<account>[^.]*)\.dkr(?P<separator>[.-])ecr(?P<fips>-fips)?\.(?P<region>[^.]*)\.(?P<domain>[^:/]+)\Z"
)
ACCOUNT = re.compile(r"\A[0-9]{12}\Z")
REGION = re.compile(r"\A[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}\Z")


class EcrNameError(ValueError):
    """The name is not that of a registry of ECR. The message begins with the name and ends with the remedy."""


def parse(name):
    """Return the Registry with this name, which is in lower case. Raises EcrNameError."""
    if name in PUBLIC:
        return Registry(None, PUBLIC_REGION, partition_of(PUBLIC_REGION), False, PUBLIC[name])
    found = PRIVATE.match(name)
    if not found:
        raise EcrNameError(
            f"{name} is not the name of a registry of Amazon ECR: use <account>.dkr.ecr.<region>.amazonaws.com or "
            "public.ecr.aws, or another provider"
        )
    account, region = found.group("account"), found.group("region")
    if not ACCOUNT.match(account):
        raise EcrNameError(f"{name} begins with '{account}', which is not an AWS account: use its ID of 12 digits")
    if not REGION.match(region):
        raise EcrNameError(f"{name} has '{region}' in place of an AWS region: use one such as eu-central-1")
    partition = partition_of(region)
    registry = Registry(account, region, partition, bool(found.group("fips")), found.group("separator") == "-")
    domain = partition.dual_stack if registry.is_dual_stack else partition.domain
    if (registry.is_fips and not partition.fips) or found.group("domain") != domain:
        raise EcrNameError(
            f"{name} is not a known name of an ECR registry in {region}: use "
            f"{account}.dkr.ecr.{region}.{partition.domain}"
        )
    return registry


def partition_of(region):
    return next(partition for partition in PARTITIONS if region.startswith(partition.prefix))


def endpoint_of(registry):
    """Return the address of the API that gives out tokens for a registry, of the same kind as the registry's."""
    service = "ecr" if registry.account else "ecr-public"
    if registry.is_fips:
        service += "-fips"
    elif not registry.is_dual_stack:
        service = "api." + service
    return "https://{}.{}.{}".format(
        service, registry.region, registry.partition.api if registry.is_dual_stack else registry.partition.domain
    )
