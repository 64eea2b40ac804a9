//! Cloud scans: what there is in an account of a cloud. One provider a folder with a line in [`VERSIONS`]; what a
//! provider looks for is a list of parts, each switched on by a checkbox of its form.

use super::spec::Spec;

mod aws_account;
pub mod found;
mod gitlab;
pub mod key;
pub mod resource;

/// Every version, in the order of the form's list.
pub static VERSIONS: &[&Spec] = &[&aws_account::AWS_ACCOUNT, &gitlab::GITLAB_TOKENS];
