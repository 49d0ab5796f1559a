"""The endpoints of five services by botocore's rules: a line for each region, FIPS and dual stack.

Columns, separated by tabs: service, region, fips, dual stack, address. If botocore refuses, the address is `-`.
"""

import itertools

import botocore.endpoint_provider
import botocore.exceptions
import botocore.loaders

loader = botocore.loaders.Loader()
partitions = loader.load_data("partitions")
# Regions that aren't in any list, for each partition and for none: rules must recognize them by name.
invented = ["eu-west-99", "mx-far-1", "us-gov-far-1", "cn-far-1", "us-iso-far-1", "us-isob-far-1", "eu-isoe-far-1",
            "us-isof-far-1", "eusc-de-far-1", "zz-new-1", "us-east", "eusc-fr-west-1"]
regions = sorted({region for partition in partitions["partitions"] for region in partition["regions"]}
                 - {"aws-global", "aws-cn-global", "aws-us-gov-global", "aws-iso-global", "aws-iso-b-global",
                    "aws-iso-e-global", "aws-iso-f-global", "aws-eusc-global"}) + invented

for service in ["ecr", "sts", "sso", "sso-oidc", "kms"]:
    rules = loader.load_service_model(service, "endpoint-rule-set-1")
    provider = botocore.endpoint_provider.EndpointProvider(rules, partitions)
    for region, fips, dual in itertools.product(regions, [False, True], [False, True]):
        try:
            address = provider.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dual).url
        except botocore.exceptions.EndpointProviderError:
            address = "-"
        print(service, region, str(fips).lower(), str(dual).lower(), address, sep="\t")
