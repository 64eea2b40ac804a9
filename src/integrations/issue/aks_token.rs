//! A token for an Azure Kubernetes Service cluster with Microsoft Entra ID.

use super::form::{Form, Issued, Order, suits_all};
use crate::integrations::deployments::aks;
use crate::providers::Failure;

pub static FORM: Form = Form {
    slug: "aks_token",
    label: "Azure Kubernetes Service token",
    help: "A cluster's address, its certificate authority and a token that is valid for about an hour.",
    gives: "cluster_token",
    kinds: &["azure"],
    fields: &[aks::CLUSTER],
    suits: suits_all,
    issue: Some(|order| Box::pin(issue(order))),
};

async fn issue(order: &Order<'_>) -> Result<Issued, Failure> {
    Ok(Issued::cluster(aks::door(&order.context(order.settings)).await?))
}
