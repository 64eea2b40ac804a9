//! Registry scans: list repositories, their tags, and each tag's manifest; apply patterns and the cap; return the
//! inventory. One registry version a file, which answers the questions of a [`catalogue`], and a line in [`VERSIONS`];
//! the scan itself is the same for all of them and stands in `driver`.

use super::spec::Spec;

mod acr;
pub mod catalogue;
pub mod docker_v2;
mod driver;
pub mod ecr;
pub(super) mod failure;
mod harbor;
pub mod image;
mod images;
pub(super) mod scan;
pub mod selection;

pub use super::progress::{Progress, Step};
pub use failure::ScanError;
pub use image::Image;
use images::{Images, check};
pub use scan::Scan;

/// Every version, in the order of the form's list.
pub static VERSIONS: &[&Spec] = &[&docker_v2::DOCKER_V2, &ecr::ECR, &acr::ACR, &harbor::HARBOR];
