"""Prints the presigned call that is the token of an EKS cluster, as AWS's own command line makes it by botocore's
signer: https://github.com/aws/aws-cli/blob/v2/awscli/customizations/eks/get_token.py

The arguments are the region, the cluster, the moment as X-Amz-Date has it, access key, secret and session token.
"""
import datetime
import os
import sys

region, cluster, moment, key, secret, token = sys.argv[1:7]
os.environ["AWS_STS_REGIONAL_ENDPOINTS"] = "regional"

import botocore.auth
import botocore.session

at = datetime.datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
botocore.auth.get_current_datetime = lambda *_, **__: at


def take_cluster(params, context, **_):
    context["cluster"] = params.pop("ClusterName")


def add_header(request, **_):
    request.headers["x-k8s-aws-id"] = request.context["cluster"]


client = botocore.session.get_session().create_client(
    "sts", region_name=region, aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token or None
)
client.meta.events.register("provide-client-params.sts.GetCallerIdentity", take_cluster)
client.meta.events.register("before-sign.sts.GetCallerIdentity", add_header)
print(client.generate_presigned_url("get_caller_identity", Params={"ClusterName": cluster}, ExpiresIn=60, HttpMethod="GET"))
