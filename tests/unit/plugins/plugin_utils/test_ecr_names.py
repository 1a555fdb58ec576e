# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Names of registries of ECR, and their endpoints, compared with those of boto3."""

import boto3
import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import ecr_names
from botocore.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

ACCOUNT = "111122223333"
SESSION = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test")
REGIONS = [
    (partition, region)
    for partition in SESSION.get_available_partitions()
    for region in SESSION.get_available_regions("ecr", partition)
]


def endpoint_of_boto3(service: str, region: str, **kind: bool) -> str:
    address: str = SESSION.client(service, region_name=region, config=Config(**kind)).meta.endpoint_url
    return address


def name_in(region: str) -> str:
    return f"{ACCOUNT}.dkr.ecr.{region}.{ecr_names.partition_of(region).domain}"


@pytest.mark.parametrize(("partition", "region"), REGIONS)
def test_account_region_and_partition_follow_from_the_name_of_a_registry(partition: str, region: str) -> None:
    found = ecr_names.parse(name_in(region))
    assert (found.account, found.region, found.partition.name) == (ACCOUNT, region, partition)


@pytest.mark.parametrize("region", dict(REGIONS).values())
def test_the_endpoint_is_that_of_boto3_in_every_partition(region: str) -> None:
    assert ecr_names.endpoint_of(ecr_names.parse(name_in(region))) == endpoint_of_boto3("ecr", region)


@pytest.mark.parametrize(
    ("name", "fips", "dual_stack"),
    [
        ("dkr.ecr-fips.us-east-1.amazonaws.com", True, False),
        ("dkr.ecr-fips.us-gov-west-1.amazonaws.com", True, False),
        ("dkr-ecr.eu-central-1.on.aws", False, True),
        ("dkr-ecr.us-gov-east-1.on.aws", False, True),
        ("dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", False, True),
        ("dkr-ecr-fips.us-west-2.on.aws", True, True),
    ],
)
def test_a_fips_or_dual_stack_name_leads_to_such_an_endpoint(name: str, fips: bool, dual_stack: bool) -> None:
    found = ecr_names.parse(f"{ACCOUNT}.{name}")
    assert (found.is_fips, found.is_dual_stack) == (fips, dual_stack)
    expected = endpoint_of_boto3("ecr", found.region, use_fips_endpoint=fips, use_dualstack_endpoint=dual_stack)
    assert ecr_names.endpoint_of(found) == expected


@pytest.mark.parametrize(("name", "dual_stack"), [("public.ecr.aws", False), ("ecr-public.aws.com", True)])
def test_ecr_public_is_asked_in_its_one_region(name: str, dual_stack: bool) -> None:
    found = ecr_names.parse(name)
    assert (found.account, found.region, found.partition.name) == (None, "us-east-1", "aws")
    expected = endpoint_of_boto3("ecr-public", "us-east-1", use_dualstack_endpoint=dual_stack)
    assert ecr_names.endpoint_of(found) == expected


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("registry.example.com", "is not the name of a registry of Amazon ECR: use <account>.dkr.ecr.<region>."),
        ("https://index.docker.io/v1/", "is not the name of a registry of Amazon ECR: "),
        ("ecr.aws", "is not the name of a registry of Amazon ECR: "),
        (f"{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com:443", "is not the name of a registry of Amazon ECR: "),
        ("1111222233.dkr.ecr.eu-central-1.amazonaws.com", "begins with '1111222233', which is not an AWS account"),
        ("1111-2222-3333.dkr.ecr.eu-central-1.amazonaws.com", "begins with '1111-2222-3333', which is not an AWS"),
        (f"{ACCOUNT}.dkr.ecr.frankfurt.amazonaws.com", "has 'frankfurt' in place of an AWS region: use one such as"),
        (f"{ACCOUNT}.dkr.ecr..amazonaws.com", "has '' in place of an AWS region: "),
    ],
)
def test_what_is_no_registry_of_ecr_is_refused(name: str, sentence: str) -> None:
    """Fault: a registry with `provider: ecr` is not one of ECR, or has a malformed account or region. Outcome: refused
    with what is wrong in the name."""
    with pytest.raises(ecr_names.EcrNameError) as refused:
        ecr_names.parse(name)
    assert str(refused.value).startswith(f"{name} {sentence}")


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("dkr.ecr.cn-north-1.amazonaws.com", "cn-north-1"),
        ("dkr.ecr.eu-central-1.amazonaws.com.cn", "eu-central-1"),
        ("dkr.ecr.eu-central-1.amazonaws.com.example.org", "eu-central-1"),
        ("dkr.ecr.eu-central-1.on.aws", "eu-central-1"),
        ("dkr-ecr.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("dkr.ecr-fips.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("dkr-ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
    ],
)
def test_a_region_under_the_domain_of_another_partition_is_refused_with_the_right_name(name: str, region: str) -> None:
    """Fault: a registry's name has a region of one partition and the domain of another. Outcome: refused, with the name
    that the region's registry has."""
    with pytest.raises(ecr_names.EcrNameError) as refused:
        ecr_names.parse(f"{ACCOUNT}.{name}")
    sentence = str(refused.value)
    assert sentence.endswith(f"is not a known name of an ECR registry in {region}: use {name_in(region)}")
    assert ecr_names.parse(name_in(region)).region == region


@settings(max_examples=50, deadline=None)
@given(st.text() | st.text(st.sampled_from("1.dkr-ecfipsamzonw:/\n"), min_size=12))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ecr_names.EcrNameError):
        ecr_names.parse(text)
