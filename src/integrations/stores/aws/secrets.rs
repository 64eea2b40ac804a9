//! AWS Secrets Manager: a secret is an entry; the members of one that is a JSON object are its keys.

use super::{Api, Found, ROLE, Regional, fields, moment, suits};
use crate::form::Field;
use crate::integrations::spec::{Does, Host, Spec, Use};
use crate::integrations::stores::entry::Facts;
use crate::integrations::stores::names::{ENTRIES, EXCLUDE};
use crate::providers::aws::secrets_manager::{BATCH, GET, LIST, secrets, values};
use crate::providers::aws::{Listed, Region};

pub static SECRETS: Spec = Spec {
    slug: "aws_secrets",
    label: "AWS Secrets Manager",
    fields: FIELDS,
    uses: &[Use::main(&["aws"])],
    host: Host::Vendor(|settings| API.host(settings)),
    suits,
    grants: |settings, name| API.grants(settings, name),
    check: Some(|cx| Box::pin(API.check(cx))),
    does: Does::Store(&Regional(&API)),
};

static FIELDS: &[Field] = &fields(ENTRIES, EXCLUDE, ROLE);

static API: Api = Api {
    who: "AWS Secrets Manager",
    service: "secretsmanager",
    list: |calls, region, pages| {
        Box::pin(async move {
            let Listed { found, rest } = secrets(calls, region, pages).await?;
            let found = found.into_iter().map(|secret| {
                let changed = moment(secret.last_changed_date);
                Found { name: secret.name, facts: Facts { kind: "Secret".to_owned(), changed, ..Facts::default() } }
            });
            Ok(Listed { found: found.collect(), rest })
        })
    },
    read: |calls, region, names| Box::pin(async move { values(calls, region, &names).await }),
    rights: (&[LIST, BATCH], &[GET]),
    resource,
};

/// AWS puts six characters of its own behind the name.
fn resource(region: &Region, pattern: &str) -> String {
    let (partition, region) = (region.partition(), region.as_str());
    let end = if pattern.ends_with('*') { "" } else { "-??????" };
    format!("arn:{partition}:secretsmanager:{region}:*:secret:{pattern}{end}")
}
