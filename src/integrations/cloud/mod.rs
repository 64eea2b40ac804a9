//! Cloud scans: what there is in an account of a cloud. One provider a folder with a line in [`VERSIONS`]; what a
//! provider looks for is a list of parts, each switched on by a checkbox of its form.

use super::spec::Spec;

mod aws_account;
mod azure;
pub mod found;
mod gitlab;
mod google;
pub mod key;
mod oracle;
pub mod resource;

/// Every version, in the order of the form's list.
pub static VERSIONS: &[&Spec] =
    &[&aws_account::AWS_ACCOUNT, &azure::AZURE, &google::GOOGLE, &oracle::ORACLE_CLOUD, &gitlab::GITLAB_TOKENS];
