//! Regions, partitions and roles as AWS writes them. Grammar only: what comes from a form is checked here before it
//! becomes part of a host name or a policy.

use crate::credentials::aws::RoleArn;

/// `eu-central-1`: `^([a-z]{2}|eusc)(-[a-z]+){1,3}-\d$`; and by which of AWS's names its services are reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Region {
    name: String,
    /// Endpoints that have IPv6 addresses besides IPv4 ones.
    dual_stack: bool,
    /// Endpoints with cryptography validated under FIPS 140.
    fips: bool,
}

impl Region {
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('-').collect();
        let [first, middle @ .., last] = parts.as_slice() else { return None };
        let word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
        let good = (first.len() == 2 || *first == "eusc")
            && word(first)
            && (1..=3).contains(&middle.len())
            && middle.iter().all(word)
            && last.len() == 1
            && last.bytes().all(|b| b.is_ascii_digit());
        (good && text.len() <= 32).then(|| Self::named(text))
    }

    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), dual_stack: false, fips: false }
    }

    /// The same region by other endpoints: every call of a session there goes to them.
    #[must_use]
    pub fn by(self, dual_stack: bool, fips: bool) -> Self {
        Self { dual_stack, fips, ..self }
    }

    /// The region whose STS is asked when nothing names one.
    pub fn first_of(partition: &str) -> Self {
        Self::named(match partition {
            "aws-cn" => "cn-north-1",
            "aws-us-gov" => "us-gov-west-1",
            "aws-eusc" => "eusc-de-east-1",
            _ => "us-east-1",
        })
    }

    pub fn as_str(&self) -> &str {
        &self.name
    }

    pub fn dual_stack(&self) -> bool {
        self.dual_stack
    }

    pub fn fips(&self) -> bool {
        self.fips
    }

    /// `aws`, `aws-cn`, `aws-us-gov` or `aws-eusc`.
    pub fn partition(&self) -> &'static str {
        match self.name.as_str() {
            name if name.starts_with("cn-") => "aws-cn",
            name if name.starts_with("us-gov-") => "aws-us-gov",
            name if name.starts_with("eusc-") => "aws-eusc",
            _ => "aws",
        }
    }

    /// What the names of services in its partition end in.
    pub fn dns_suffix(&self) -> &'static str {
        match self.partition() {
            "aws-cn" => "amazonaws.com.cn",
            "aws-eusc" => "amazonaws.eu",
            _ => "amazonaws.com",
        }
    }

    /// The host of an account's ECR registry: `123456789012.dkr.ecr.eu-central-1.amazonaws.com`.
    pub fn registry(&self, account: &str) -> String {
        format!("{account}.dkr.ecr.{}.{}", self.name, self.dns_suffix())
    }

    /// What the dual-stack names of registries in its partition end in.
    pub fn dual_stack_suffix(&self) -> &'static str {
        match self.partition() {
            "aws-cn" => "on.amazonwebservices.com.cn",
            "aws-eusc" => "on.amazonwebservices.eu",
            _ => "on.aws",
        }
    }
}

/// A role as entered: a whole ARN, or a name (with its path), completed with the account and partition of a registry.
pub fn role_of(text: &str, account: &str, region: &Region) -> Result<RoleArn, String> {
    if text.starts_with("arn:") {
        return RoleArn::parse(text);
    }
    let name = text.trim_start_matches('/');
    RoleArn::parse(&format!("arn:{}:iam::{account}:role/{name}", region.partition()))
        .map_err(|_| "Enter a role's name, or its whole ARN: arn:aws:iam::123456789012:role/name.".to_owned())
}

/// AssumeRole's reference: 2 to 1224 characters.
pub fn external_id(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
    if text.len() >= 2 && text.chars().all(good) {
        Ok(text.to_owned())
    } else {
        Err("An external ID has two characters or more: letters, digits and _+=,.@:/-.".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_follow_the_grammar_and_tell_their_partition() {
        let partition = |name| Region::parse(name).map(|region| region.partition());
        assert_eq!(partition("eu-central-1"), Some("aws"));
        assert_eq!(partition("us-gov-west-1"), Some("aws-us-gov"));
        assert_eq!(partition("cn-northwest-1"), Some("aws-cn"));
        assert_eq!(partition("eusc-de-east-1"), Some("aws-eusc"));
        for bad in ["", "eu", "eu-1", "eu-central-12", "EU-central-1", "x.evil.com/#", "eu--1", "eu-central-1\r\n"] {
            assert_eq!(partition(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_bare_role_name_is_completed_with_account_and_partition() {
        let region = Region::parse("cn-north-1").unwrap();
        let role = role_of("scan/reader", "123456789012", &region).unwrap();
        assert_eq!(role.as_str(), "arn:aws-cn:iam::123456789012:role/scan/reader");
        let whole = "arn:aws:iam::210987654321:role/other";
        assert_eq!(role_of(whole, "123456789012", &region).unwrap().as_str(), whole);
        assert!(role_of("two words", "123456789012", &region).is_err());
    }
}
