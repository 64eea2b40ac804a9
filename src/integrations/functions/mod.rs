//! Serverless scans: the functions of a cloud account, region by region. One provider a file and a line in
//! [`VERSIONS`]; what all of them say of a function is in `function`, when runtimes end in `runtimes`.

use super::spec::Spec;

pub mod function;
mod google;
mod lambda;
pub mod runtimes;
mod scan;

/// Every provider, in the order of the form's list.
pub static VERSIONS: &[&Spec] = &[&lambda::LAMBDA, &google::GOOGLE];
