//! A role or a user of AWS, shown by a signed request for the caller's identity, which Strongroom sends to AWS.

use serde::{Deserialize, Serialize};

use super::fields::required;
use crate::form::{Errors, Field, Values};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aws {
    /// Of a role or a user. A session of a role counts as the role.
    pub arn: String,
    /// What `X-Vault-AWS-IAM-Server-ID` must be, so that a request that was signed for another server is worth nothing.
    pub server_id: String,
}

pub const FIELDS: [Field; 2] = [
    Field::text("arn", "Role or user")
        .placeholder("arn:aws:iam::123456789012:role/billing")
        .max(512)
        .check(arn)
        .help("The full ARN, with the path that it has in IAM."),
    Field::text("server_id", "Server ID")
        .max(255)
        .check(server_id)
        .help("The value of the signed header X-Vault-AWS-IAM-Server-ID, such as this console's host name."),
];

impl Aws {
    /// Of checked values.
    pub fn read(values: &Values) -> Result<Self, Errors> {
        Ok(Self { arn: required(values, "arn")?, server_id: required(values, "server_id")? })
    }

    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        vec![("Role or user", self.arn.clone()), ("Server ID", self.server_id.clone())]
    }
}

fn arn(text: &str) -> Result<String, String> {
    let shape = || "Enter the ARN of a role or a user: arn:aws:iam::123456789012:role/name.".to_owned();
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [scheme, partition, service, region, account, resource] = parts[..] else { return Err(shape()) };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let name = resource.strip_prefix("role/").or_else(|| resource.strip_prefix("user/"));
    let is_name = name.is_some_and(|name| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c);
        !name.is_empty() && !name.ends_with('/') && name.chars().all(plain)
    });
    let known = ["aws", "aws-cn", "aws-us-gov"].contains(&partition);
    match scheme == "arn" && known && service == "iam" && region.is_empty() && is_account && is_name {
        true => Ok(text.to_owned()),
        false if text.contains(":assumed-role/") => {
            Err("This is a session of a role. Enter the role itself: arn:aws:iam::…:role/name.".to_owned())
        }
        false => Err(shape()),
    }
}

fn server_id(text: &str) -> Result<String, String> {
    match text.chars().all(|c| c.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err("Enter it without spaces, in ASCII.".to_owned()),
    }
}
