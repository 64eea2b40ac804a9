//! Functions as items: a function in its region, whose fingerprint is the hash of its code. Whether its runtime is still
//! supported is a matter of the day on which it is shown, and is not stored.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::runtimes::{self, Support, Table};
use crate::integrations::alerts::message::Trigger;
use crate::integrations::inventory::{self, Alarm, Cell, Column, Inventory};

/// Whose function it is; says which table of runtimes holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cloud {
    #[default]
    Aws,
    Google,
}

impl Cloud {
    fn runtimes(self) -> &'static Table {
        match self {
            Self::Aws => &runtimes::LAMBDA,
            Self::Google => &runtimes::GOOGLE,
        }
    }
}

/// What is known of a function beside its region, name and version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    pub cloud: Cloud,
    /// Which of a vendor's services it is of: `Cloud Run`; blank where the vendor has one.
    pub kind: String,
    /// As the vendor identifies it, `nodejs24.x`; blank where the vendor does not tell.
    pub runtime: String,
    /// `Zip` or `Image`; blank where the vendor does not tell.
    pub package: String,
    /// Of the code, in bytes; `None` where the vendor does not tell.
    pub size: Option<i64>,
    /// In the vendor's word, `Running`; blank where the list does not tell.
    pub state: String,
    pub modified: Option<DateTime<Utc>>,
    /// The identity that it runs as: the ARN of a role.
    pub role: String,
    /// `x86_64`, `arm64`
    pub architectures: Vec<String>,
    /// ARNs of the layers' versions.
    pub layers: Vec<String>,
    /// What is deployed, as the vendor names it: `pay-00007-abc`; blank where the name of the item has it.
    pub revision: String,
}

impl inventory::Facts for Facts {
    fn cells(self, now: DateTime<Utc>) -> Vec<Cell> {
        let support = self.support(now.date_naive());
        let runtime = match (self.runtime.as_str(), self.package.as_str()) {
            ("", "Image") => "Container image".to_owned(),
            ("", _) => "Unknown".to_owned(),
            (runtime, _) => runtime.to_owned(),
        };
        // `arn:aws:iam::123456789012:role/service-role/pay`, `arn:aws:lambda:eu-central-1:123456789012:layer:base:3`
        let role = self.role.split_once(":role/").map_or(self.role.as_str(), |(_, name)| name).to_owned();
        let layer = |arn: &String| arn.split_once(":layer:").map_or(arn.as_str(), |(_, name)| name).to_owned();
        vec![
            Cell::Text(runtime),
            support,
            Cell::Size(self.size),
            Cell::At(self.modified),
            Cell::Text(role),
            Cell::Text(self.state),
            Cell::List(self.architectures),
            Cell::List(self.layers.iter().map(layer).collect()),
            Cell::Text(self.kind),
            Cell::Text(self.revision),
        ]
    }
}

impl Facts {
    /// The tone and the word of the runtime's support. The vendor does not say what is in an image.
    fn support(&self, today: NaiveDate) -> Cell {
        let (tone, word) = match self.cloud.runtimes().support(&self.runtime, today) {
            Support::Ended(on) => ("bad", format!("Ended {on}")),
            Support::EndsSoon(on) => ("warn", format!("Ends {on}")),
            Support::Supported => ("good", "Supported".to_owned()),
            Support::NotListed => ("neutral", "Unknown".to_owned()),
        };
        Cell::Mark(tone, word)
    }
}

pub static INVENTORY: Inventory = Inventory {
    noun: "function",
    source: "cloud",
    part: "place",
    place: "Region",
    name: "Function",
    fingerprint: None,
    separator: "/",
    columns: &[
        Column { head: "Runtime", csv: "runtime", is_number: false },
        Column { head: "Runtime support", csv: "runtime_support", is_number: false },
        Column { head: "Code size", csv: "code_size_bytes", is_number: true },
        Column { head: "Modified", csv: "modified_at", is_number: false },
        Column { head: "Runs as", csv: "role", is_number: false },
        Column { head: "State", csv: "state", is_number: false },
        Column { head: "Architectures", csv: "architectures", is_number: false },
        Column { head: "Layers", csv: "layers", is_number: false },
        Column { head: "Service", csv: "service", is_number: false },
        Column { head: "Revision", csv: "revision", is_number: false },
    ],
    shown: 6,
    exported: &[
        "runtime",
        "runtime_support",
        "code_size_bytes",
        "modified_at",
        "role",
        "architectures",
        "layers",
        "state",
        "service",
        "revision",
    ],
    hint: "Look at Functions, and at what is scanned, under Settings.",
    note: "Runtime support is that of AWS's table of September 2026 and Google's of April 2026.",
    cells: inventory::cells::<Facts>,
    alarm: Some(Alarm { trigger: Trigger::OldRuntime, why: old_runtime, over: "its runtime is supported" }),
};

/// Of a function once: the other versions of it, `pay:7` beside `pay:$LATEST`, are only marked.
fn old_runtime(name: &str, facts: &Value, now: DateTime<Utc>) -> Option<String> {
    if name.split_once(':').is_some_and(|(_, version)| version != "$LATEST") {
        return None;
    }
    let Facts { runtime, cloud, .. } = Facts::deserialize(facts).ok()?;
    let (table, today) = (cloud.runtimes(), now.date_naive());
    match table.support(&runtime, today) {
        Support::Ended(on) => {
            Some(format!("{} supported {runtime} until {on}{}.", table.vendor, gone(cloud, &runtime)))
        }
        Support::EndsSoon(on) => Some(format!("{} supports {runtime} until {on}.", table.vendor)),
        Support::Supported | Support::NotListed => None,
    }
}

/// From when a vendor may stop what uses a runtime, as the end of a sentence.
fn gone(cloud: Cloud, runtime: &str) -> String {
    let date = (cloud == Cloud::Google).then(|| runtimes::decommissioned(runtime)).flatten();
    date.map(|date| format!(", and may disable what uses it from {date}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::inventory::Facts as _;

    #[test]
    fn an_old_runtime_is_told_of_the_function_and_not_of_each_version() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let why = |name: &str, runtime: &str| old_runtime(name, &serde_json::json!({ "runtime": runtime }), now);
        assert_eq!(why("pay", "python2.7").as_deref(), Some("AWS supported python2.7 until 2021-07-15."));
        assert!(why("pay:$LATEST", "python2.7").is_some() && why("pay:7", "python2.7").is_none());
        assert_eq!((why("pay", "nodejs24.x"), why("pay", ""), why("pay", "rust9")), (None, None, None));
        let google = serde_json::json!({ "runtime": "python38", "cloud": "google" });
        let said = "Google supported python38 until 2024-10-14, and may disable what uses it from 2025-10-14.";
        assert_eq!(old_runtime("pay", &google, now).as_deref(), Some(said));
    }

    #[test]
    fn a_role_and_a_layer_are_shown_by_their_names_and_an_image_as_such() {
        let facts = Facts {
            runtime: "python2.7".to_owned(),
            role: "arn:aws:iam::123456789012:role/service-role/pay".to_owned(),
            layers: vec!["arn:aws:lambda:eu-central-1:123456789012:layer:base:3".to_owned()],
            ..Facts::default()
        };
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let cells = facts.cells(now);
        assert_eq!(cells[1], Cell::Mark("bad", "Ended 2021-07-15".to_owned()));
        assert_eq!(cells[4], Cell::Text("service-role/pay".to_owned()));
        assert_eq!(cells[7], Cell::List(vec!["base:3".to_owned()]));
        let image = Facts { package: "Image".to_owned(), ..Facts::default() }.cells(now);
        assert_eq!(image[0], Cell::Text("Container image".to_owned()));
        assert_eq!(image[1], Cell::Mark("neutral", "Unknown".to_owned()));
        assert_eq!(INVENTORY.columns.len(), image.len());
        for table in [&runtimes::LAMBDA, &runtimes::GOOGLE] {
            assert!(INVENTORY.note.contains(&format!("{}'s", table.vendor)) && INVENTORY.note.contains(table.as_of));
        }
    }
}
