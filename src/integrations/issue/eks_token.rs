//! A token for an Amazon EKS cluster.

use super::form::{Form, Issued, Order};
use super::role::{self, EXTERNAL_ID, ROLE};
use crate::form::{Errors, Field, Values};
use crate::integrations::aws;
use crate::integrations::deployments::eks;
use crate::providers::Failure;
use crate::providers::aws::Region;

pub static FORM: Form = Form {
    slug: "eks_token",
    label: "Amazon EKS token",
    help: "A cluster's address, its certificate authority and a token that is valid for 14 minutes.",
    gives: "cluster_token",
    kinds: &["aws"],
    fields: &[
        Field::text("region", "Region").placeholder("eu-central-1").max(32).check(aws::region),
        Field::text("cluster", "Cluster").placeholder("prod").help("Its name in Amazon EKS.").max(100).check(eks::name),
        ROLE.help("The full ARN of a role that the cluster knows. Leave blank to use the credential itself."),
        EXTERNAL_ID,
    ],
    suits,
    issue: Some(|order| Box::pin(issue(order))),
};

fn suits(settings: &Values, credential: &Values) -> Result<(), Errors> {
    role::suits(settings, credential)?;
    role::in_partition(settings, Region::parse(settings.get("region")).as_ref())
}

async fn issue(order: &Order<'_>) -> Result<Issued, Failure> {
    let settings = role::settings(order);
    Ok(Issued::cluster(eks::door(&order.context(&settings)).await?))
}
