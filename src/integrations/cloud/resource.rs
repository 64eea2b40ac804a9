//! What runs and lies in the accounts of clouds, as items: registries, functions and clusters. The place of each is its
//! account (Google: project, Azure: subscription, Oracle: tenancy or compartment), its name `service/region/name` or as
//! much of that as tells it apart: `ecr/eu-central-1`, `eks/eu-central-1/prod`. The page *Discovery* reads the same
//! facts, which `models::discovery` searches by their names.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::key::Sort;
use crate::integrations::inventory::{self, Cell};
use crate::integrations::scan::Item;

/// What is known of a registry, the functions of a region, or a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Not [`Sort::Key`].
    pub sort: Sort,
    /// As its vendor names it: `Amazon ECR`, `AWS Lambda`, `Amazon EKS`, `Azure Container Registry`.
    pub service: String,
    /// The name of the account at its provider; empty when it has none.
    pub account: String,
    /// Region or location.
    pub region: String,
    /// What people call it: a registry's host, a cluster's own name, `Functions in eu-central-1`.
    pub title: String,
    /// Where it answers: the host of a registry, the endpoint of a cluster; empty where it has none.
    pub address: String,
    /// Repositories of a registry, functions of a region; `None` where that is not known, as of a cluster.
    pub number: Option<i64>,
    /// Of a cluster: `1.33`.
    pub version: String,
    /// In the vendor's word: `ACTIVE`. Empty where it has none.
    pub state: String,
    /// Who reaches the endpoint of a cluster: `Public`, `Private`, `Public and private`. Empty where that is not known.
    pub access: String,
    #[serde(with = "chrono::serde::ts_seconds_option", skip_serializing_if = "Option::is_none")]
    pub made: Option<DateTime<Utc>>,
    /// What a scan has to read to cover it, by [`cover`]; empty where no scan can, as of a cluster.
    ///
    /// [`cover`]: crate::integrations::cover
    pub scope: String,
    /// The form of the integration that would cover it, beside what the integration that found it has in the same fields
    /// (credential, role, external ID …): its version and the fields that differ. Empty where there is none.
    pub add: Vec<(String, String)>,
}

impl Facts {
    /// As an item. Numbers come and go: another one is no change of the thing.
    pub fn item(&self, account: &str, name: String) -> Item {
        let fingerprint = [&self.state, &self.version, &self.access, &self.address].map(String::as_str).join(" ");
        Item::new(account.to_owned(), name, fingerprint, self)
    }

    /// `14 repositories`, `1.33, public`
    pub fn details(&self) -> String {
        let noun = match (self.sort, self.number) {
            (Sort::Registry, Some(1)) => "repository",
            (Sort::Registry, _) => "repositories",
            (Sort::Functions, Some(1)) => "function",
            (Sort::Functions, _) => "functions",
            (Sort::Key | Sort::Cluster, _) => "nodes",
        };
        let number = self.number.map(|number| format!("{number} {noun}")).unwrap_or_default();
        let parts = [number, self.version.clone(), self.access.to_lowercase()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }
}

impl inventory::Facts for Facts {
    fn cells(self, _now: DateTime<Utc>) -> Vec<Cell> {
        let details = self.details();
        vec![
            Cell::Text(self.service),
            Cell::Text(self.title),
            Cell::Text(self.region),
            Cell::Text(self.state),
            Cell::Text(details),
            Cell::At(self.made),
            Cell::At(None),
            Cell::At(None),
            Cell::Text(self.address),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_of_a_resource_have_the_names_that_discovery_asks_for() {
        let facts = Facts {
            sort: Sort::Registry,
            region: "eu-central-1".to_owned(),
            number: Some(14),
            scope: "registry/r.example".to_owned(),
            ..Facts::default()
        };
        let json = serde_json::to_value(&facts).unwrap();
        assert_eq!((&json["sort"], &json["scope"]), (&"registry".into(), &"registry/r.example".into()));
        assert!(json["region"] == "eu-central-1" && json["title"] == "" && json["service"] == "");
        assert_eq!(serde_json::from_value::<Facts>(json).unwrap(), facts);
        assert_eq!(facts.details(), "14 repositories");
    }

    #[test]
    fn another_number_is_no_change_and_another_version_is_one() {
        let facts = Facts { sort: Sort::Cluster, version: "1.32".to_owned(), ..Facts::default() };
        let print = |facts: &Facts| facts.item("1", "eks/x/prod".to_owned()).fingerprint;
        assert_eq!(print(&facts), print(&Facts { number: Some(3), ..facts.clone() }));
        assert_ne!(print(&facts), print(&Facts { version: "1.33".to_owned(), ..facts.clone() }));
    }
}
