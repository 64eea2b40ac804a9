//! Registry scans: list repositories, their tags, and each tag's manifest; apply patterns and the cap; return the
//! inventory. One registry version a file, which answers the questions of a [`catalogue`], and a line in [`VERSIONS`];
//! the scan itself is the same for all of them and stands in `driver`.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::Family;
use super::context::Context;
use super::spec::{Scanner, Spec};

mod acr;
pub mod catalogue;
mod docker_hub;
pub mod docker_v2;
mod driver;
pub mod ecr;
mod failure;
mod ghcr;
mod gitlab;
mod google;
mod harbor;
mod held;
mod ibm;
pub mod image;
mod jfrog;
mod nexus;
mod openshift;
mod places;
mod quay;
mod reach;
mod scan;
pub mod selection;
mod several;

pub use super::progress::{Progress, Step};
pub use failure::ScanError;
pub use scan::Scan;

/// Every version, in the order of the form's list.
pub static VERSIONS: &[&Spec] = &[
    &docker_v2::DOCKER_V2,
    &ecr::ECR,
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
];

/// The inventory of a registry's images, by the function that signs in to it.
struct Images(catalogue::Open);

impl Scanner for Images {
    fn family(&self) -> Family {
        Family::RegistryScan
    }

    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, ScanError>> {
        Box::pin(driver::scan(self.0, cx))
    }
}

/// *Test connection* of a registry: signs in and reads one page of a list.
fn check<'a>(open: catalogue::Open, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Option<String>, String>> {
    Box::pin(async move { driver::check(open, cx).await.map(Some).map_err(|error| error.to_string()) })
}

/// One tag of one repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    pub repository: String,
    pub tag: String,
    /// `sha256:…` of the manifest or index that the tag names.
    pub digest: String,
    /// Compressed layers plus configuration, summed over platforms, in bytes.
    pub size_bytes: i64,
    /// `linux/amd64`, `linux/arm64/v8` …
    pub platforms: Vec<String>,
    pub pushed_at: Option<DateTime<Utc>>,
}
