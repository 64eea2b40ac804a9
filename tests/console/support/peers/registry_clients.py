"""Reads a peer by the vendor's own client. Of a registry it prints each tag: its repository, name, digest and date.

The arguments are the vendor, the address of the peer and a token or key.
"""
import sys

vendor, address, secret = sys.argv[1:4]


def show(repository, tag, digest, date):
    print(f"{repository}:{tag} {digest} {date}")


def gitlab():
    import gitlab

    client = gitlab.Gitlab(address, private_token=secret)
    groups = client.groups.list(min_access_level=20, iterator=True)
    for repository in next(groups).registry_repositories.list(iterator=True):
        if repository.status:
            continue
        for tag in repository.tags.list(iterator=True):
            tag = repository.tags.get(tag.name)
            show(repository.path, tag.name, tag.digest, tag.created_at[:10])


def gitlab_tokens():
    import gitlab

    def show_all(owner, tokens):
        for token in tokens:
            print(f"{owner}/{token.id} {token.name} {token.created_at[:10]} {token.expires_at} {token.active}")

    client = gitlab.Gitlab(address, private_token=secret)
    show_all("personal", client.personal_access_tokens.list(iterator=True))
    for group in client.groups.list(min_access_level=10, iterator=True):
        show_all(f"group/{group.id}", group.access_tokens.list(iterator=True))
    for project in client.projects.list(membership=True, iterator=True, order_by="id", sort="asc", pagination="keyset"):
        try:
            show_all(f"project/{project.id}", project.access_tokens.list(iterator=True))
        except gitlab.exceptions.GitlabAuthenticationError:
            pass


def google():
    from google.cloud import artifactregistry_v1
    from google.oauth2.credentials import Credentials

    options = {"api_endpoint": address}
    client = artifactregistry_v1.ArtifactRegistryClient(
        credentials=Credentials(secret), transport="rest", client_options=options
    )
    for repository in client.list_repositories(parent="projects/shop/locations/europe-west3"):
        if repository.format_ == artifactregistry_v1.Repository.Format.DOCKER:
            for image in client.list_docker_images(parent=repository.name):
                name, digest = image.uri.split("/", 1)[1].split("@")
                for tag in image.tags:
                    show(name, tag, digest, image.upload_time.strftime("%Y-%m-%d"))


def google_options():
    from google.oauth2.credentials import Credentials

    return {"credentials": Credentials(secret), "transport": "rest", "client_options": {"api_endpoint": address}}


def google_functions():
    """Prints place, name, runtime, revision and state of each function and service."""
    from google.cloud import functions_v2, run_v2

    def show(name, *facts):
        _, project, _, location, _, name = name.split("/")
        print(f"{project}/{location}/{name}", *facts)

    ran = set()
    for function in functions_v2.FunctionServiceClient(**google_options()).list_functions(
        parent="projects/shop/locations/-"
    ):
        config = function.service_config
        ran.add(config.service)
        show(function.name, function.build_config.runtime, config.revision, config.service_account_email)
    for location in ["europe-west3", "us-central1"]:
        services = run_v2.ServicesClient(**google_options())
        for service in services.list_services(parent=f"projects/shop/locations/{location}"):
            if service.name not in ran:
                revision = service.latest_ready_revision.split("/")[-1]
                show(service.name, "-", revision, service.template.service_account)


def google_clusters():
    """Prints project, location, name, version and state of each cluster."""
    from google.cloud import container_v1

    client = container_v1.ClusterManagerClient(**google_options())
    for cluster in client.list_clusters(parent="projects/shop/locations/-").clusters:
        state = container_v1.Cluster.Status(cluster.status).name.capitalize()
        print(f"shop/gke/{cluster.location}/{cluster.name} {cluster.current_master_version} {state}")


def ibm():
    from ibm_cloud_sdk_core.authenticators import IAMAuthenticator
    from ibm_container_registry.container_registry_v1 import ContainerRegistryV1

    account, key = secret.split(":")
    client = ContainerRegistryV1(account=account, authenticator=IAMAuthenticator(key, url=address))
    client.set_service_url(address)
    images = client.list_images(include_ibm=False, include_private=True, include_manifest_lists=True)
    for image in images.get_result():
        for digest, names in image["DigestTags"].items():
            for name in names:
                repository, tag = name.split("/", 1)[1].rsplit(":", 1)
                show(repository, tag, digest, image["Created"])


def ecr_public():
    import boto3

    key, password = secret.split(":")
    client = boto3.client(
        "ecr-public", endpoint_url=address, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=password
    )
    token = client.get_authorization_token()["authorizationData"]["authorizationToken"]
    assert token and client.describe_registries()["registries"][0]["registryUri"].startswith("public.ecr.aws/")
    size = {"PageSize": 1000}
    for page in client.get_paginator("describe_repositories").paginate(PaginationConfig=size):
        for repository in page["repositories"]:
            name = repository["repositoryName"]
            tags = client.get_paginator("describe_image_tags").paginate(repositoryName=name, PaginationConfig=size)
            for tag in (tag for page in tags for tag in page["imageTagDetails"]):
                show(name, tag["imageTag"], tag["imageDetail"]["imageDigest"], tag["createdAt"].strftime("%Y-%m-%d"))


CLIENTS = [ecr_public, gitlab, gitlab_tokens, google, google_clusters, google_functions, ibm]
{client.__name__: client for client in CLIENTS}[vendor]()
