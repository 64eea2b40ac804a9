//! The pages of a Secret Sync: its Secrets in the cluster, and the form of each. Preview, apply and removal are those of
//! deployments.

pub mod delete;
pub mod edit;
pub mod show;
