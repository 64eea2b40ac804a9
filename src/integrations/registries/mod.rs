//! Registry scans: list repositories, their tags, and each tag's manifest; apply patterns and the cap; return the
//! inventory. One registry version a file, which answers the questions of a [`catalogue`], and a line in [`VERSIONS`];
//! the scan itself is the same for all of them and stands in `driver`.

use super::spec::Spec;

pub(in crate::integrations) mod acr;
mod alibaba;
pub mod catalogue;
mod docker_hub;
pub mod docker_v2;
mod driver;
pub mod ecr;
mod ecr_public;
mod failure;
mod ghcr;
mod gitlab;
pub(in crate::integrations) mod google;
mod harbor;
mod held;
pub mod hooks;
pub(in crate::integrations) mod ibm;
pub mod image;
mod images;
mod jfrog;
mod nexus;
mod openshift;
mod oracle;
mod places;
mod platforms;
mod quay;
mod reach;
pub mod references;
pub mod selection;
mod several;
mod versions;

pub use failure::known_faults;
use images::{Images, check};

/// Every version, in the order of the form's list.
pub static VERSIONS: &[&Spec] = &[
    &docker_v2::DOCKER_V2,
    &ecr::ECR,
    &ecr_public::ECR_PUBLIC,
    &acr::ACR,
    &google::GOOGLE,
    &ibm::IBM,
    &docker_hub::DOCKER_HUB,
    &harbor::HARBOR,
    &jfrog::JFROG,
    &nexus::NEXUS,
    &quay::QUAY,
    &openshift::OPENSHIFT,
    &gitlab::GITLAB,
    &ghcr::GHCR,
    &oracle::ORACLE,
    &alibaba::ALIBABA,
];
