//! Amazon Web Services: an IAM user's access key, or the IAM role of the environment that Strongroom runs in. Which
//! role an integration assumes with it is the integration's own setting.

use secrecy::SecretString;
use serde::Deserialize;

use super::{Facts, Guide, Kind, checks};
use crate::form::{Errors, Field, Values};

/// What a consumer gets.
#[derive(Deserialize)]
#[serde(try_from = "Sealed")]
pub enum Payload {
    AccessKey {
        access_key_id: String,
        secret_access_key: SecretString,
    },
    /// Temporary credentials of the environment, in the SDK's order of sources: container endpoint, web identity,
    /// IMDSv2; then, if there is one, the role to chain into.
    IamRole {
        role_arn: Option<RoleArn>,
    },
}

/// `arn:aws:iam::123456789012:role/name`, in any of the four public partitions.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct RoleArn(String);

impl RoleArn {
    pub fn parse(value: &str) -> Result<Self, String> {
        let parts: Vec<&str> = value.splitn(6, ':').collect();
        let valid = match parts[..] {
            ["arn", "aws" | "aws-cn" | "aws-us-gov" | "aws-eusc", "iam", "", account, resource] => {
                let role = resource.strip_prefix("role/").unwrap_or_default();
                // Names and paths as the IAM API reference (Role: Arn, Path, RoleName) allows them.
                let name = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c);
                account.len() == 12
                    && account.bytes().all(|b| b.is_ascii_digit())
                    && (1..=576).contains(&role.len())
                    && !role.ends_with('/')
                    && role.chars().all(name)
            }
            _ => false,
        };
        if valid {
            Ok(Self(value.to_owned()))
        } else {
            Err("Enter the whole ARN of a role: arn:aws:iam::123456789012:role/name.".to_owned())
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The twelve digits of the account.
    pub fn account(&self) -> &str {
        self.0.split(':').nth(4).unwrap_or_default()
    }

    /// `aws`, `aws-cn`, `aws-us-gov` or `aws-eusc`.
    pub fn partition(&self) -> &str {
        self.0.split(':').nth(1).unwrap_or_default()
    }
}

impl TryFrom<String> for RoleArn {
    type Error = String;

    fn try_from(value: String) -> Result<Self, String> {
        Self::parse(&value)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    method: String,
    access_key_id: Option<String>,
    secret_access_key: Option<SecretString>,
    role_arn: Option<RoleArn>,
}

impl TryFrom<Sealed> for Payload {
    type Error = &'static str;

    fn try_from(sealed: Sealed) -> Result<Self, &'static str> {
        match (sealed.method.as_str(), sealed.access_key_id, sealed.secret_access_key, sealed.role_arn) {
            ("access_key", Some(access_key_id), Some(secret_access_key), None) => {
                Ok(Self::AccessKey { access_key_id, secret_access_key })
            }
            ("iam_role", None, None, role_arn) => Ok(Self::IamRole { role_arn }),
            _ => Err("not an AWS credential"),
        }
    }
}

pub static KIND: Kind = Kind {
    slug: "aws",
    label: "AWS",
    summary: "An IAM user's access key, or the IAM role of the machine: ECR, Security Hub.",
    fields: &[
        Field::choice("method", "Subtype", &[("access_key", "Access key"), ("iam_role", "IAM role")]),
        Field::text("access_key_id", "Access key ID")
            .when("method", &["access_key"])
            .placeholder("AKIA…")
            .max(128)
            .check(access_key_id)
            .identity()
            .renewed(),
        Field::secret("secret_access_key", "Secret access key")
            .when("method", &["access_key"])
            .max(256)
            .check(checks::token),
        Field::text("role_arn", "Role ARN")
            .when("method", &["iam_role"])
            .optional()
            .placeholder("arn:aws:iam::123456789012:role/name")
            .help("Leave blank to use the environment's own role, or name a role to assume from it.")
            .max(640)
            .check(|value| RoleArn::parse(value).map(|arn| arn.0))
            .identity(),
    ],
    examine,
    parses: |values| super::payload::<Payload>(values).is_some(),
    ages: |values| values.get("method") == "access_key",
    guide: Guide {
        steps: &[
            "Access key: in the IAM console open Users and create a user without console access.",
            "Give the user one permission, to assume the roles that your integrations name (first policy below).",
            "On its Security credentials page choose Create access key, or run the line below, and copy both values.",
            "In each account, create the role, trust the user (second policy below), and grant what its integrations read.",
            "IAM role: attach the role to what Strongroom runs on (EC2 instance, ECS task, EKS service account). \
             No key is stored.",
            "Rotate an access key every 90 days: store the new one here, test it, then delete the old one in IAM.",
        ],
        snippets: &[
            (
                "Create the user and key",
                "aws iam create-user --user-name USER\naws iam create-access-key --user-name USER",
            ),
            ("User policy: may assume the role", ASSUME),
            ("Role trust policy: who may assume it", TRUST),
            ("Role policy for registry scans (Amazon ECR)", ECR),
        ],
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
    },
    policies,
    address: super::no_address,
};

/// The credential that every installation has from its first start: name and values. It holds no secret.
pub fn shipped_iam_role() -> (&'static str, Values) {
    ("IAM Role", Values::from_iter([("method", "iam_role")]))
}

/// Long-term keys start with AKIA (IAM user guide, "Understanding unique ID prefixes").
fn access_key_id(value: &str) -> Result<String, String> {
    if value.starts_with("ASIA") {
        return Err("A key that starts with ASIA is temporary: it works only with a session token and expires within \
                    hours. Enter a long-term key, which starts with AKIA, or choose the subtype IAM role."
            .to_owned());
    }
    let rest = value.strip_prefix("AKIA").unwrap_or_default();
    if (12..=124).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        Ok(value.to_owned())
    } else {
        Err("An access key ID is AKIA and at least 12 more capital letters or digits.".to_owned())
    }
}

fn examine(values: &Values) -> Result<Facts, Errors> {
    if values.get("method") == "iam_role" {
        let identity = match values.get("role_arn") {
            "" => "Role of the environment",
            arn => arn,
        };
        return Ok(Facts { identity: identity.to_owned(), subtype: Some("IAM role"), ..Facts::default() });
    }
    let id = values.get("access_key_id").to_owned();
    let key_id = Some(id.clone());
    let mut facts = Facts { identity: id, subtype: Some("Access key"), key_id, ..Facts::default() };
    if values.get("secret_access_key").len() != 40 {
        facts.warnings.push("AWS secret access keys have 40 characters. Check that this one was copied whole.".into());
    }
    Ok(facts)
}

/// The two STS policies. With a role to chain into its ARN is known; who goes there is the environment's role.
fn policies(values: &Values) -> Vec<(String, String)> {
    let Ok(arn) = RoleArn::parse(values.get("role_arn")) else {
        return Vec::new();
    };
    let principal = format!("arn:{}:iam::ACCOUNT:role/ROLE-OF-THE-ENVIRONMENT", arn.partition());
    vec![
        ("Policy of the environment's role: may assume the role".into(), ASSUME.replace(ROLE, arn.as_str())),
        ("Role trust policy: who may assume it".into(), TRUST.replace(USER, &principal)),
    ]
}

const ROLE: &str = "arn:aws:iam::ACCOUNT:role/ROLE";
const USER: &str = "arn:aws:iam::ACCOUNT:user/USER";

const ASSUME: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "sts:AssumeRole",
      "Resource": "arn:aws:iam::ACCOUNT:role/ROLE"
    }
  ]
}"#;

const TRUST: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::ACCOUNT:user/USER" },
      "Action": "sts:AssumeRole"
    }
  ]
}"#;

const ECR: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "ecr:GetAuthorizationToken",
        "ecr:BatchCheckLayerAvailability",
        "ecr:GetDownloadUrlForLayer",
        "ecr:GetRepositoryPolicy",
        "ecr:DescribeRepositories",
        "ecr:ListImages",
        "ecr:DescribeImages",
        "ecr:BatchGetImage"
      ],
      "Resource": "*"
    }
  ]
}"#;

#[cfg(test)]
mod tests;
