//! Where the services of AWS answer, and for which region a call there is signed. The operator can move each by its
//! variable. <https://docs.aws.amazon.com/general/latest/gr/rande.html>

use super::Region;

/// A service that has no client of the SDK here.
pub struct Service {
    /// As its hosts and the signature name it: `lambda`.
    pub name: &'static str,
    /// As the variable of the operator names it: `LAMBDA`.
    pub variable: &'static str,
    at: fn(&'static str, &Region) -> Endpoint,
}

/// Where a call goes.
#[derive(Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub host: String,
    /// The signature is for this region.
    pub region: Region,
}

/// `iam:…`, once a partition. It speaks the Query protocol.
/// <https://docs.aws.amazon.com/general/latest/gr/iam-service.html>
pub static IAM: Service = Service { name: "iam", variable: "IAM", at: iam };
/// `account:…`, once a partition.
/// <https://docs.aws.amazon.com/general/latest/gr/account-management.html>
pub static ACCOUNT: Service = Service { name: "account", variable: "ACCOUNT", at: account };
/// `ecr-public:…`, of the whole partition `aws`.
/// <https://docs.aws.amazon.com/general/latest/gr/ecr-public.html>
pub static ECR_PUBLIC: Service = Service { name: "ecr-public", variable: "ECR_PUBLIC", at: ecr_public };

/// `ecr:…`, which has other hosts than its name tells.
/// <https://docs.aws.amazon.com/general/latest/gr/ecr.html>
pub static ECR: Service = Service { name: "ecr", variable: "ECR", at: ecr };

impl Service {
    /// One that has a host in each region: `lambda.eu-central-1.amazonaws.com`, in China with `.cn`.
    pub const fn regional(name: &'static str, variable: &'static str) -> Self {
        Self { name, variable, at: in_region }
    }

    /// Where to ask about a region; a service of the whole partition is the same for all of them.
    pub fn endpoint(&self, region: &Region) -> Endpoint {
        (self.at)(self.name, region)
    }
}

fn in_region(name: &'static str, region: &Region) -> Endpoint {
    let host = format!("{name}.{}.{}", region.as_str(), region.dns_suffix());
    Endpoint { host, region: region.clone() }
}

fn ecr(_name: &'static str, region: &Region) -> Endpoint {
    in_region("api.ecr", region)
}

fn iam(name: &'static str, region: &Region) -> Endpoint {
    let region = Region::first_of(region.partition());
    let host = match region.partition() {
        "aws" => "iam.amazonaws.com".to_owned(),
        "aws-us-gov" => "iam.us-gov.amazonaws.com".to_owned(),
        _ => return in_region(name, &region),
    };
    Endpoint { host, region }
}

fn account(name: &'static str, region: &Region) -> Endpoint {
    let china = || Region::parse("cn-northwest-1").filter(|_| region.partition() == "aws-cn");
    in_region(name, &china().unwrap_or_else(|| Region::first_of(region.partition())))
}

fn ecr_public(_: &'static str, _: &Region) -> Endpoint {
    let region = Region::first_of("aws");
    Endpoint { host: format!("api.ecr-public.{}.amazonaws.com", region.as_str()), region }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_of_a_partition_are_reached_and_signed_for_where_it_has_them() {
        static LAMBDA: Service = Service::regional("lambda", "LAMBDA");
        let asked = |service: &Service, region: &str| {
            let Endpoint { host, region } = service.endpoint(&Region::parse(region).unwrap());
            format!("{host} {}", region.as_str())
        };
        assert_eq!(asked(&IAM, "eu-central-1"), "iam.amazonaws.com us-east-1");
        assert_eq!(asked(&IAM, "cn-northwest-1"), "iam.cn-north-1.amazonaws.com.cn cn-north-1");
        assert_eq!(asked(&IAM, "us-gov-east-1"), "iam.us-gov.amazonaws.com us-gov-west-1");
        assert_eq!(asked(&IAM, "eusc-de-east-1"), "iam.eusc-de-east-1.amazonaws.eu eusc-de-east-1");
        assert_eq!(asked(&ACCOUNT, "eu-central-1"), "account.us-east-1.amazonaws.com us-east-1");
        assert_eq!(asked(&ACCOUNT, "cn-north-1"), "account.cn-northwest-1.amazonaws.com.cn cn-northwest-1");
        assert_eq!(asked(&ECR_PUBLIC, "eu-central-1"), "api.ecr-public.us-east-1.amazonaws.com us-east-1");
        assert_eq!(asked(&ECR, "cn-north-1"), "api.ecr.cn-north-1.amazonaws.com.cn cn-north-1");
        assert_eq!(asked(&LAMBDA, "cn-north-1"), "lambda.cn-north-1.amazonaws.com.cn cn-north-1");
        assert_eq!(asked(&LAMBDA, "eu-west-3"), "lambda.eu-west-3.amazonaws.com eu-west-3");
    }
}
