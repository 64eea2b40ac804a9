//! What a credential is. One kind a file: its fields, what may be shown of it, the typed payload that its users get,
//! and how to make one. A new type is a new file and a line in [`KINDS`]; nothing else changes.

pub mod api_token;
pub mod aws;
pub mod azure;
pub mod basic;
pub mod certificate;
pub mod checks;
pub mod document;
pub mod forge_token;
pub mod gcp;
pub mod github_token;
pub mod gitlab_token;
pub mod ibm_cloud;
pub mod import;
mod kind;
pub mod kubeconfig;
pub mod oci;
pub mod pem;
pub mod webhook;

pub use aws::shipped_iam_role;
pub use kind::{Facts, Guide, Kind, payload};
use kind::{address_in, date, no_address, no_policies};

/// Every type, in the order of the list on the *Add credential* page.
pub static KINDS: &[&Kind] = &[
    &aws::KIND,
    &azure::KIND,
    &gcp::KIND,
    &ibm_cloud::KIND,
    &kubeconfig::KIND,
    &basic::KIND,
    &api_token::KIND,
    &webhook::KIND,
    &certificate::KIND,
    &oci::KIND,
    &github_token::KIND,
    &gitlab_token::KIND,
];

/// The type of that slug; `None` for one that this version does not know.
pub fn find(slug: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.slug == slug)
}

#[cfg(test)]
mod tests;
