//! The other side: real servers where they install, else small ones written from their documentation. Each listens on
//! a free loopback port, logs what it saw and ends when dropped. A new peer is a new file here.

pub mod acr;
pub mod azure_management;
pub mod certificates;
pub mod channels;
pub mod clouds;
pub mod connect_proxy;
pub mod cyberark;
pub mod docker_hub;
pub mod ecr_public;
pub mod entra;
pub mod estate;
pub mod forges;
pub mod front;
pub mod ghcr;
pub mod gitlab;
pub mod gitlab_tokens;
pub mod google;
pub mod google_artifacts;
pub mod google_container;
pub mod google_functions;
pub mod google_iam;
pub mod google_secrets;
pub mod google_world;
pub mod graph;
pub mod harbor;
pub mod iam;
pub mod ibm_registry;
pub mod jfrog;
pub mod key_vault;
pub mod kube;
pub mod lambda;
pub mod managed_clusters;
pub mod moto;
pub mod nexus;
pub mod oidc_provider;
pub mod openbao;
pub mod openshift;
pub mod oracle_cloud;
pub mod oracle_registry;
pub mod quay;
pub mod receiver;
pub mod recorder;
pub mod registry;
pub mod scripted;
pub mod shelf;
pub mod sigv4;
pub mod smtp;
pub mod token_issuer;
pub mod tokens;
pub mod vendor;

/// A port of 127.0.0.1 that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("loopback has free ports");
    listener.local_addr().expect("a bound listener has an address").port()
}
