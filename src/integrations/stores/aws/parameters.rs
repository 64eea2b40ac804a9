//! The Parameter Store of AWS Systems Manager: a parameter is an entry, named without its leading slash.

use super::{Api, Found, ROLE, Regional, fields, moment, suits};
use crate::form::Field;
use crate::integrations::patterns::check_patterns;
use crate::integrations::spec::{Does, Host, Spec, Use};
use crate::integrations::stores::entry::Facts;
use crate::integrations::stores::names::{ENTRIES, EXCLUDE};
use crate::providers::aws::parameters::{GET, LIST, Parameter, parameters, values};
use crate::providers::aws::{Listed, Region};

pub static PARAMETERS: Spec = Spec {
    slug: "aws_parameters",
    label: "AWS SSM Parameter Store",
    fields: FIELDS,
    uses: &[Use::main(&["aws"])],
    host: Host::Vendor(|settings| API.host(settings)),
    suits,
    grants: |settings, name| API.grants(settings, name),
    check: Some(|cx| Box::pin(API.check(cx))),
    does: Does::Store(&Regional(&API)),
};

static FIELDS: &[Field] = &fields(
    ENTRIES.placeholder("prod/*").check(patterns).help(
        "Leave blank for all. Use * as a wildcard and commas between patterns. A leading slash doesn't count. Other \
         entries can't be read.",
    ),
    EXCLUDE.check(patterns),
    ROLE,
);

/// Patterns without the leading slashes of parameters.
fn patterns(text: &str) -> Result<String, String> {
    let checked = check_patterns(text)?;
    Ok(checked.split(", ").map(|one| one.trim_start_matches('/')).collect::<Vec<_>>().join(", "))
}

static API: Api = Api {
    who: "AWS Systems Manager",
    service: "ssm",
    list: |calls, region, pages| {
        Box::pin(async move {
            let Listed { found, rest } = parameters(calls, region, pages).await?;
            Ok(Listed { found: found.into_iter().map(found_as).collect(), rest })
        })
    },
    read: |calls, region, names| Box::pin(async move { values(calls, region, &names).await }),
    rights: (&[LIST], &[GET]),
    resource: |region, pattern| arn(region, pattern),
};

fn found_as(parameter: Parameter) -> Found {
    let version = parameter.version.map(|version| version.to_string()).unwrap_or_default();
    let changed = moment(parameter.last_modified_date);
    let facts = Facts { kind: parameter.r#type, version, changed, ..Facts::default() };
    Found { name: parameter.name.trim_start_matches('/').to_owned(), facts }
}

fn arn(region: &Region, pattern: &str) -> String {
    format!("arn:{}:ssm:{}:*:parameter/{pattern}", region.partition(), region.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_slash_of_a_pattern_does_not_count() {
        assert_eq!(patterns("/prod/*, dev/x").as_deref(), Ok("prod/*, dev/x"));
        assert!(patterns("a b").is_err());
    }
}
