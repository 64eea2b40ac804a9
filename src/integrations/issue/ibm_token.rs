//! An access token of IBM Cloud IAM.

use super::form::{Form, Issued, Order, suits_all};
use crate::credentials::ibm_cloud::Payload;
use crate::integrations::context::Outside;
use crate::providers::{Failure, ibm};

pub static FORM: Form = Form {
    slug: "ibm_token",
    label: "IBM Cloud access token",
    help: "An IAM token of the API key's identity, valid for an hour.",
    gives: "ibm_token",
    kinds: &["ibm_cloud"],
    fields: &[],
    suits: suits_all,
    issue: Some(|order| Box::pin(issue(order))),
};

async fn issue(order: &Order<'_>) -> Result<Issued, Failure> {
    let payload: Payload = order.payload()?;
    let Outside { egress, endpoints, .. } = order.outside;
    let token = ibm::token(&payload, egress, endpoints).await?;
    Ok(Issued::token(&token, [("account", payload.account_guid.as_str())]))
}
