//! Long-term keys as items: the id of a key in an account. An active key and a switched-off one are two contents of the
//! same. How they are shown on their integration's page is in [`found`](super::found); the page *Cloud keys* reads the
//! same facts, which `models::cloud_keys` searches by their names.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::integrations::inventory::{self, Cell};

/// What sort of item it is, for the pages that show one sort of all accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    #[default]
    Key,
    Registry,
    /// Those of one region.
    Functions,
    Cluster,
}

/// What is known of a key beside account and key id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    pub sort: Sort,
    /// Slug of the kind of credential that holds such a key here.
    pub kind: String,
    /// The name of the account at its provider; empty when it has none.
    pub account: String,
    /// Who has the key, as people name them.
    pub owner: String,
    /// The same, as the provider does.
    pub arn: String,
    /// It is the account's own, may do everything, and has an id that no API tells.
    pub root: bool,
    pub active: bool,
    #[serde(with = "chrono::serde::ts_seconds_option", skip_serializing_if = "Option::is_none")]
    pub made: Option<DateTime<Utc>>,
    #[serde(with = "chrono::serde::ts_seconds_option", skip_serializing_if = "Option::is_none")]
    pub used: Option<DateTime<Utc>>,
    /// Never used, as far as the provider knows. Else, without a moment, it could not be read.
    pub never: bool,
    /// What it was last used for: `s3`, and where: `eu-central-1`; empty where that is not known.
    pub service: String,
    pub region: String,
    /// When it ends by itself; `None`: never.
    #[serde(with = "chrono::serde::ts_seconds_option", skip_serializing_if = "Option::is_none")]
    pub expires: Option<DateTime<Utc>>,
    /// What it is, and what its owner calls it: `Client secret “ci”`; blank where its name says all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// What a credential that holds it calls it, where that is not its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub held_as: String,
    /// Keys of the same owner are held under the same name: which of them a credential holds is not known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub perhaps: bool,
}

impl Facts {
    /// Another one is a change of the key.
    pub fn state(&self) -> &'static str {
        if self.active { "Active" } else { "Inactive" }
    }

    /// `s3 in eu-central-1`
    pub fn used_for(&self) -> String {
        match (self.service.as_str(), self.region.as_str()) {
            ("", _) => String::new(),
            (service, "") => service.to_owned(),
            (service, region) => format!("{service} in {region}"),
        }
    }
}

impl inventory::Facts for Facts {
    fn cells(self, _now: DateTime<Utc>) -> Vec<Cell> {
        let state = Cell::Mark(if self.active { "good" } else { "neutral" }, self.state().to_owned());
        let details = [self.used_for(), self.label].into_iter().filter(|text| !text.is_empty());
        let details = details.collect::<Vec<_>>().join(", ");
        vec![
            Cell::Text("Key".to_owned()),
            Cell::Text(self.owner),
            Cell::Text(String::new()),
            state,
            Cell::Text(details),
            Cell::At(self.made),
            Cell::At(self.used),
            Cell::At(self.expires),
            Cell::Text(String::new()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_of_a_key_have_the_names_that_the_page_of_all_keys_asks_for() {
        let made = DateTime::from_timestamp(1_551_434_400, 0);
        let facts = Facts { kind: "aws".to_owned(), active: true, made, never: true, ..Facts::default() };
        let json = serde_json::to_value(&facts).unwrap();
        assert_eq!(
            (&json["sort"], &json["kind"], &json["made"]),
            (&"key".into(), &"aws".into(), &1_551_434_400.into())
        );
        assert!(json["active"] == true && json["never"] == true && json["root"] == false && json["owner"] == "");
        assert!(["used", "expires", "held_as", "perhaps", "label"].iter().all(|name| json.get(name).is_none()));
        assert_eq!(serde_json::from_value::<Facts>(json).unwrap(), facts);
    }
}
