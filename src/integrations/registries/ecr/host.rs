//! The names by which AWS reaches an ECR registry, and nobody else's: the registry's password goes there.
//! <https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-requests.html>

use crate::integrations::aws::Place;
use crate::providers::aws::Region;

/// A registry's host, taken apart.
pub(in crate::integrations) struct Host {
    pub name: String,
    pub account: String,
    pub region: Region,
}

/// What stands between account and region: whether that name has IPv6, and whether it is for FIPS 140.
const KINDS: [(&str, bool, bool); 4] = [
    (".dkr.ecr.", false, false),
    (".dkr.ecr-fips.", false, true),
    (".dkr-ecr.", true, false),
    (".dkr-ecr-fips.", true, true),
];

impl Host {
    /// `<account>.dkr.ecr.<region>.amazonaws.com`, and its dual-stack and FIPS names, in any public partition. The error
    /// is a sentence for the form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().to_ascii_lowercase();
        let name = text.strip_prefix("https://").unwrap_or(&text).trim_end_matches('/');
        KINDS.iter().find_map(|kind| Self::of_kind(name, *kind)).ok_or_else(|| {
            "Enter the registry's host without a repository: 123456789012.dkr.ecr.eu-central-1.amazonaws.com, with the \
             ending of its partition (.com.cn in China, .eu in the European Sovereign Cloud), or its dual-stack name, \
             123456789012.dkr-ecr.eu-central-1.on.aws. With -fips after ecr it is the FIPS name."
                .to_owned()
        })
    }

    /// Where its roles are, too, unless a whole ARN says otherwise.
    pub fn place(&self) -> Place<'_> {
        Place { region: &self.region, account: Some(&self.account) }
    }

    /// Its name without IPv6 and FIPS: a registry has one however it is reached.
    pub fn plain(&self) -> String {
        self.region.registry(&self.account)
    }

    fn of_kind(name: &str, (middle, dual_stack, fips): (&str, bool, bool)) -> Option<Self> {
        let (account, rest) = name.split_once(middle)?;
        let (region, suffix) = rest.split_once('.')?;
        let region = Region::parse(region)?.by(dual_stack, fips);
        let expected = if dual_stack { region.dual_stack_suffix() } else { region.dns_suffix() };
        let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        (digits && suffix == expected).then(|| Self { name: name.to_owned(), account: account.to_owned(), region })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<String> {
        Host::parse(text).map(|host| host.name).ok()
    }

    #[test]
    fn only_the_host_of_an_ecr_registry_is_taken() {
        let good = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
        assert_eq!(name(good).as_deref(), Some(good));
        assert_eq!(name(&good.to_uppercase()).as_deref(), Some(good));
        assert_eq!(name(&format!(" https://{good}/ ")).as_deref(), Some(good));
        for bad in [
            "",
            "12345678901.dkr.ecr.eu-central-1.amazonaws.com",
            "123456789012.dkr.ecr.eu-central-1.amazonaws.com.cn",
            "123456789012.dkr.ecr.eu-central-1.on.aws",
            "123456789012.dkr-ecr.eu-central-1.amazonaws.com",
            "123456789012.dkr-ecr.eu-central-1.on.aws.evil.example",
            "123456789012.dkr-ecr-x.eu-central-1.on.aws",
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com",
            "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.com",
            "123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil.example",
            "123456789012.dkr.ecr.x.evil.com/#.amazonaws.com",
            "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/app",
            "123456789012.dkr.ecr.eu-central-1.amazonaws.com:8443",
        ] {
            assert_eq!(name(bad), None, "{bad}");
        }
    }

    #[test]
    fn field_a01_a03_every_name_that_aws_gives_a_registry_is_taken() {
        for (host, dual_stack, fips, partition) in [
            ("123456789012.dkr-ecr.us-east-1.on.aws", true, false, "aws"),
            ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", false, true, "aws-us-gov"),
            ("123456789012.dkr-ecr-fips.us-east-1.on.aws", true, true, "aws"),
            ("123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", false, false, "aws-eusc"),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", false, false, "aws-cn"),
            ("123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", true, false, "aws-cn"),
            ("123456789012.dkr.ecr.us-gov-east-1.amazonaws.com", false, false, "aws-us-gov"),
        ] {
            let read = Host::parse(host).unwrap();
            let region = (read.region.dual_stack(), read.region.fips(), read.region.partition());
            assert_eq!((read.name.as_str(), region), (host, (dual_stack, fips, partition)));
            assert_eq!(host == read.plain(), !dual_stack && !fips, "{}", read.plain());
            assert!(Host::parse(&read.plain()).is_ok_and(|plain| plain.account == read.account));
        }
    }
}
