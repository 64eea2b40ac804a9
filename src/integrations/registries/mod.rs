//! Registry scans: list repositories, their tags, and each tag's manifest; apply patterns and the cap; return the
//! inventory. One registry version a file, and a line in [`VERSIONS`].

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::Spec;
use super::context::Context;

mod collect;
pub mod docker_v2;
pub mod ecr;
mod failure;
pub mod image;
mod scan;
pub mod selection;

pub use super::progress::{Progress, Step};
pub use failure::ScanError;
pub use scan::Scan;

/// Every version, in the order of the form's list.
pub static VERSIONS: &[&dyn Version] = &[&docker_v2::DockerV2, &ecr::Ecr];

/// The version of that slug; `None` for one that this release does not know.
pub fn version(slug: &str) -> Option<&'static dyn Version> {
    VERSIONS.iter().copied().find(|version| version.slug() == slug)
}

/// One way to speak to a registry: `Docker Registry v2`, `Amazon ECR` …
pub trait Version: Spec {
    /// Scans; stops soon after `cx.stop` is cancelled. An error when the registry itself fails, or nothing at all can be
    /// read; else what cannot be read is a gap.
    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, ScanError>>;
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
