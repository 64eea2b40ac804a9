//! The part *Secrets and certificates of all applications*: the long-term keys of a tenant. Which of its secrets a
//! credential holds, Azure tells nobody: of an application with several, perhaps each.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use futures_util::future::BoxFuture;

use super::part::{Look, Part};
use crate::credentials::azure::{KIND, secret_of};
use crate::integrations::azure::{CLIENT, Scope, because};
use crate::integrations::cloud::key::Facts;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Item, Scan};
use crate::providers::ProviderError;
use crate::providers::azure::graph::{API, App, Apps, Key, Kind, applications, service_principals};
use crate::providers::oci_registry::Pages;

pub(super) const KEYS: Part = Part { field: "keys", path: "", grant, read, check };

impl Step {
    const LISTING_APPS: Self = Self { label: "Listing applications", doing: "Listing the applications" };
    const LISTING_PRINCIPALS: Self = Self { label: "Listing applications", doing: "Listing the service principals" };
}

/// Microsoft Graph itself, and its application permission Application.Read.All, are the same in every tenant.
/// <https://learn.microsoft.com/en-us/graph/permissions-reference#applicationreadall>
fn grant(_scope: &Scope) -> (String, String) {
    let text = format!(
        "az ad app permission add --id {CLIENT} \\\n  --api 00000003-0000-0000-c000-000000000000 \\\n  \
         --api-permissions 9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30=Role\n\
         az ad app permission admin-consent --id {CLIENT}"
    );
    (format!("Microsoft Graph for {CLIENT}: Application.Read.All, by an administrator of the tenant"), text)
}

/// A list failed; other keys of the tenant may be hidden.
fn unread(look: &Look<'_>, step: Step, cause: ProviderError) -> Gap {
    let because = because(&cause);
    Gap::new(step, "", cause, because).hiding(Hides::Place(look.visit.tenant.clone()))
}

fn read<'l>(look: &'l Look<'_>) -> BoxFuture<'l, Result<Scan, Gap>> {
    Box::pin(async move {
        look.visit.cx.report.step(Step::LISTING_APPS);
        let failed = |cause| unread(look, Step::SIGNING_IN, cause);
        let line = match look.judge.judged(look.visit.line(&API).await, failed)? {
            Ok(line) => line,
            Err(gap) => return Ok(Scan::gap(gap)),
        };
        let (apps, principals) = tokio::join!(applications(&line, Pages::All), service_principals(&line, Pages::All));
        let (mut scan, mut whole) = (Scan::default(), Vec::new());
        for (step, listed) in [(Step::LISTING_APPS, apps), (Step::LISTING_PRINCIPALS, principals)] {
            match look.judge.judged(listed, |cause| unread(look, step, cause))? {
                Ok(Apps { found, rest, .. }) => {
                    whole.extend(found);
                    scan.gaps.extend(rest.map(|cause| unread(look, step, cause)));
                }
                Err(gap) => scan.gaps.push(gap),
            }
        }
        scan.items = items(&look.visit.tenant, whole);
        if scan.items.is_empty() && scan.gaps.is_empty() {
            look.empty.store(true, Ordering::Relaxed);
        }
        look.visit.cx.report.part(Step::LISTING_APPS, scan.items.len(), scan.gaps.len());
        Ok(scan)
    })
}

/// An application and its service principal have the same client ID, and secrets of each are good for it.
fn items(tenant: &str, apps: Vec<App>) -> Vec<Item> {
    let mut secrets: BTreeMap<String, usize> = BTreeMap::new();
    let mut keys: BTreeMap<String, (App, Key)> = BTreeMap::new();
    for mut app in apps {
        for key in std::mem::take(&mut app.keys) {
            let is_secret = key.kind == Kind::Secret;
            if keys.insert(key.id.clone(), (app.clone(), key)).is_none() && is_secret {
                *secrets.entry(app.id.clone()).or_default() += 1;
            }
        }
    }
    let item = |(id, (app, key)): (String, (App, Key))| {
        let (noun, held_as) = match &key.kind {
            Kind::Secret => ("Client secret", secret_of(&app.id)),
            Kind::Certificate(thumbprint) => ("Certificate", thumbprint.clone().unwrap_or_default()),
        };
        let named = if key.label.is_empty() { String::new() } else { format!(" “{}”", key.label) };
        let facts = Facts {
            kind: KIND.slug.to_owned(),
            owner: if app.name.is_empty() { app.id.clone() } else { app.name },
            active: key.is_valid,
            made: key.made,
            expires: key.expires,
            label: format!("{noun}{named}"),
            perhaps: key.kind == Kind::Secret && secrets.get(&app.id).is_some_and(|number| *number > 1),
            arn: app.id,
            held_as,
            ..Facts::default()
        };
        Item::new(tenant.to_owned(), id, facts.state().to_owned(), &facts)
    };
    keys.into_iter().map(item).collect()
}

fn check<'l>(look: &'l Look<'_>) -> BoxFuture<'l, Result<String, Gap>> {
    Box::pin(async move {
        let failed = |cause| unread(look, Step::LISTING_APPS, cause);
        let line = look.visit.line(&API).await.map_err(failed)?;
        let (apps, principals) =
            tokio::join!(applications(&line, Pages::First), service_principals(&line, Pages::First));
        let apps = apps.map_err(failed)?;
        principals.map_err(|cause| unread(look, Step::LISTING_PRINCIPALS, cause))?;
        let number = apps.seen;
        let listed = if number == 1 { "1 application".to_owned() } else { format!("{number} applications") };
        Ok(format!("Microsoft Graph let Strongroom in and lists {listed} on its first page."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(id: &str, keys: &[(&str, Kind)]) -> App {
        let key = |(id, kind): &(&str, Kind)| Key {
            id: (*id).to_owned(),
            kind: kind.clone(),
            label: "ci".to_owned(),
            made: None,
            expires: None,
            is_valid: true,
        };
        App { id: id.to_owned(), name: "Deploy".to_owned(), keys: keys.iter().map(key).collect() }
    }

    #[test]
    fn a_secret_is_held_for_certain_only_where_its_application_has_one() {
        let print = Kind::Certificate(Some("AB".to_owned()));
        let apps = vec![
            app("one", &[("1", Kind::Secret), ("2", print)]),
            app("two", &[("3", Kind::Secret)]),
            // The service principal of the second.
            app("two", &[("4", Kind::Secret), ("3", Kind::Secret)]),
            app("three", &[("5", Kind::Certificate(None))]),
        ];
        let read = |item: &Item| serde_json::from_str::<Facts>(&item.facts).unwrap();
        let found: Vec<(String, Facts)> = items("t", apps).iter().map(|item| (item.name.clone(), read(item))).collect();
        let told: Vec<(&str, &str, bool)> =
            found.iter().map(|(id, facts)| (id.as_str(), facts.held_as.as_str(), facts.perhaps)).collect();
        let expected = [
            ("1", "secret of one", false),
            ("2", "AB", false),
            ("3", "secret of two", true),
            ("4", "secret of two", true),
            ("5", "", false),
        ];
        assert_eq!(told, expected);
        assert_eq!((found[0].1.label.as_str(), found[0].1.owner.as_str()), ("Client secret “ci”", "Deploy"));
    }
}
