//! A token for a Google Kubernetes Engine cluster.

use super::form::{Form, Issued, Order, suits_all};
use crate::integrations::deployments::gke;
use crate::providers::Failure;

pub static FORM: Form = Form {
    slug: "gke_token",
    label: "Google Kubernetes Engine token",
    help: "A cluster's address, its certificate authority and a token that is valid for an hour.",
    gives: "cluster_token",
    kinds: &["gcp"],
    fields: &gke::CLUSTER_FIELDS,
    suits: suits_all,
    issue: Some(|order| Box::pin(issue(order))),
};

async fn issue(order: &Order<'_>) -> Result<Issued, Failure> {
    Ok(Issued::cluster(gke::door(&order.context(order.settings)).await?))
}
