"""Reads Azure by Microsoft's own clients and prints what a scan finds too, a line each.

The arguments are what is read, the address of the Resource Manager, a token and a subscription.
"""
import sys

from azure.core.pipeline.policies import SansIOHTTPPolicy

part, address, token, subscription = sys.argv[1:5]


class Token(SansIOHTTPPolicy):
    """Signs over plain http, which the clients' own policy refuses."""

    def on_request(self, request):
        request.http_request.headers["Authorization"] = f"Bearer {token}"


def client(kind):
    return kind(object(), subscription, base_url=address, credential_scopes=["x"], authentication_policy=Token())


def place(entry):
    return f"{subscription}/{entry.location.replace(' ', '').lower()}"


def functions():
    from azure.mgmt.web import WebSiteManagementClient

    web = client(WebSiteManagementClient)

    def show(site):
        language, _, version = site.site_config.linux_fx_version.partition("|")
        language = {"Node": "Node.js"}.get(language, language)
        modified = site.last_modified_time_utc.strftime("%Y-%m-%d")
        print(place(site), site.name, site.state, modified, language, version)

    for site in web.web_apps.list():
        if "functionapp" in site.kind.split(","):
            show(site)
            for slot in web.web_apps.list_slots(site.id.split("/")[4], site.name):
                show(slot)


def resources():
    from azure.mgmt.containerregistry import ContainerRegistryManagementClient
    from azure.mgmt.containerservice import ContainerServiceClient

    for registry in client(ContainerRegistryManagementClient).registries.list():
        print("registry", place(registry), registry.login_server, registry.creation_date.strftime("%Y-%m-%d"))
    for cluster in client(ContainerServiceClient).managed_clusters.list():
        nodes = sum(pool.count for pool in cluster.agent_pool_profiles)
        print("cluster", place(cluster), cluster.fqdn, cluster.current_kubernetes_version, nodes)


{"functions": functions, "resources": resources}[part]()
