//! Cloud Functions, API v2, which lists both generations: the functions of a project in all locations.
//! <https://cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions/list>

use serde::Deserialize;

use super::line::{Line, Page, or_default};
use super::workload::{Found, Kind, Workload, Written, moment, plain, word};
use super::{Api, Right};
use crate::providers::ProviderError;
use crate::providers::oci_registry::{Lenient, Pages};

pub static API: Api = Api { name: "Cloud Functions API", host: "cloudfunctions.googleapis.com" };
pub static LISTS: Right = Right {
    api: &API,
    permission: "cloudfunctions.functions.list",
    role: "Cloud Functions Viewer (roles/cloudfunctions.viewer)",
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Functions {
    #[serde(default, deserialize_with = "or_default")]
    functions: Vec<Lenient<Function>>,
    next_page_token: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    unreachable: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Function {
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    environment: String,
    #[serde(default, deserialize_with = "or_default")]
    state: String,
    #[serde(default, deserialize_with = "or_default")]
    update_time: String,
    #[serde(default, deserialize_with = "or_default")]
    build_config: Build,
    #[serde(default, deserialize_with = "or_default")]
    service_config: Service,
}

#[derive(Default, Deserialize)]
struct Build {
    #[serde(default, deserialize_with = "or_default")]
    runtime: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    /// `projects/p/locations/europe-west3/services/pay`
    #[serde(default, deserialize_with = "or_default")]
    service: String,
    #[serde(default, deserialize_with = "or_default")]
    revision: String,
    #[serde(default, deserialize_with = "or_default")]
    service_account_email: String,
}

impl Page for Functions {
    type Entry = Function;

    fn parts(self) -> (Vec<Lenient<Function>>, Option<String>, Vec<String>) {
        (self.functions, self.next_page_token, self.unreachable)
    }
}

impl Written for Function {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(self, location: String, name: String) -> Option<Workload> {
        let service = plain(self.service_config.service, 256)?;
        let service = service.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned);
        let first = self.environment == "GEN_1";
        Some(Workload {
            kind: if first { Kind::FirstGeneration } else { Kind::Function },
            location,
            name,
            runtime: plain(self.build_config.runtime, 64).map(|text| Some(text).filter(|text| !text.is_empty()))?,
            revision: plain(self.service_config.revision, 128)?,
            state: word(&self.state)?,
            modified: moment(&self.update_time),
            account: plain(self.service_config.service_account_email, 320)?,
            service: service.filter(|_| !first),
            is_managed: false,
        })
    }
}

/// The functions of a project. Pages are small, since each entry may have a large environment.
pub async fn of(line: &Line<'_>, project: &str, pages: Pages) -> Result<Found, ProviderError> {
    let path = format!("v2/projects/{project}/locations/-/functions?pageSize=100");
    Ok(Found::of(line.list::<Functions>(&LISTS, &path, pages).await?, "functions"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::gcp::line::Listed;
    use serde_json::{Value, json};

    fn read(changes: &Value) -> Found {
        let mut function = json!({"name": "projects/shop/locations/europe-west3/functions/pay", "environment": "GEN_2",
            "state": "ACTIVE", "updateTime": "2026-03-01T12:00:00.123456789Z",
            "buildConfig": {"runtime": "nodejs24", "environmentVariables": {"A": "environment-canary"}},
            "serviceConfig": {"service": "projects/shop/locations/europe-west3/services/pay-svc",
                "revision": "pay-00007-abc", "serviceAccountEmail": "pay@shop.iam.gserviceaccount.com",
                "environmentVariables": {"TOKEN": "environment-canary"}}});
        for (name, value) in changes.as_object().unwrap() {
            function[name] = value.clone();
        }
        let page: Functions = serde_json::from_value(json!({"functions": [function], "unreachable": null})).unwrap();
        let (entries, _, unreachable) = page.parts();
        let entries: Vec<Function> = entries
            .into_iter()
            .filter_map(|entry| match entry {
                Lenient::Read(entry) => Some(entry),
                Lenient::Odd(_) => None,
            })
            .collect();
        Found::of(Listed { entries, unreachable, rest: None }, "functions")
    }

    #[test]
    fn a_function_of_google_is_read_without_its_environment() {
        let found = read(&json!({}));
        let [function] = &found.workloads[..] else { panic!("{found:?}") };
        assert_eq!((function.kind, function.service.as_deref()), (Kind::Function, Some("pay-svc")));
        assert_eq!((function.runtime.as_deref(), function.state.as_str()), (Some("nodejs24"), "Active"));
        assert!(function.modified.is_some() && !format!("{found:?}").contains("environment-canary"));
        let first = read(&json!({"environment": "GEN_1", "serviceConfig": null, "updateTime": null}));
        let [first] = &first.workloads[..] else { panic!("{first:?}") };
        assert_eq!((first.kind, &first.service, first.modified), (Kind::FirstGeneration, &None, None));
    }

    #[test]
    fn a_function_of_google_that_cannot_be_one_costs_itself_alone() {
        let place = Some(("europe-west3".to_owned(), "pay".to_owned()));
        for odd in [
            json!({"state": "<b>"}),
            json!({"buildConfig": {"runtime": "node js"}}),
            json!({"buildConfig": {"runtime": "x".repeat(65)}}),
            json!({"serviceConfig": {"serviceAccountEmail": "a\u{7}"}}),
        ] {
            assert_eq!(read(&odd).unreadable, [Unreadable { place: place.clone() }], "{odd}");
        }
        assert_eq!(read(&json!({"name": "pay"})).unreadable, [Unreadable { place: None }]);
    }

    use crate::providers::gcp::workload::Unreadable;
}
