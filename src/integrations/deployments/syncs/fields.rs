//! The form of an item, and what of it can be checked without opening the source.

use super::data::{fits, is_data_key};
use super::item::{BASIC, DOCKER, Item, OPAQUE, TLS};
use crate::credentials::Kind;
use crate::form::{Errors, Field, Values};
use crate::integrations::deployments::names;
use crate::pasted::Wanted;

/// Most items of a sync, and most Secrets of all its items together.
pub const MOST_ITEMS: usize = 100;
pub const MOST_SECRETS: usize = 200;
/// Most namespaces of an item.
const MOST_NAMESPACES: usize = 50;
/// Most keys of an item that get another name.
const MOST_KEYS: usize = 100;

/// The fields after those of the source.
pub static FIELDS: &[Field] = &[
    Field::text("secret", "Secret name")
        .placeholder("db")
        .help("Strongroom keeps a Secret of this name in each namespace.")
        .max(63)
        .check(secret),
    Field::text("namespaces", "Namespaces")
        .placeholder("shop, payments")
        .help("Separate several by commas. They must exist.")
        .max(4096)
        .check(namespaces),
    Field::choice(
        "type",
        "Secret type",
        &[
            (OPAQUE, "Opaque"),
            (DOCKER, "Registry login (dockerconfigjson)"),
            (TLS, "Certificate (tls)"),
            (BASIC, "User name and password (basic-auth)"),
        ],
    ),
    Field::text("registry", "Registry")
        .when("type", &[DOCKER])
        .placeholder("registry.example.com")
        .help("The host to which nodes send this login.")
        .max(253)
        .check(registry),
    Field::document("keys", "Keys")
        .wants(Wanted::Lines)
        .optional()
        .placeholder("password = DB_PASSWORD")
        .help("One per line, with the name in the Secret after =. Leave blank for all, as they are.")
        .max(16_384)
        .check(keys)
        .advanced(),
    Field::checkbox("restart", "Restart workloads when it changes").help(
        "Restarts the Deployments, StatefulSets and DaemonSets in these namespaces that use the Secret. Needs the right \
         to list and patch them.",
    ),
];

fn secret(text: &str) -> Result<String, String> {
    names::subdomain(text)
}

fn registry(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-.:".contains(c);
    match !text.is_empty() && text.chars().all(good) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("Enter the host of a registry, such as registry.example.com.".to_owned()),
    }
}

fn named(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '\n', ' ']).map(str::trim).filter(|name| !name.is_empty())
}

fn namespaces(text: &str) -> Result<String, String> {
    let mut found: Vec<&str> = Vec::new();
    for name in named(text) {
        if !names::is_label(name, 63) {
            return Err(
                "A namespace has lower-case letters, digits and dashes, with a letter or digit at both ends.".into()
            );
        }
        if !found.contains(&name) {
            found.push(name);
        }
    }
    match found.len() {
        0 => Err("Enter a namespace.".to_owned()),
        1..=MOST_NAMESPACES => Ok(found.join(", ")),
        _ => Err(format!("Enter at most {MOST_NAMESPACES} namespaces.")),
    }
}

/// `key` or `key = NAME`
fn pair(line: &str) -> Option<(String, String)> {
    let (key, name) = line.split_once('=').unwrap_or((line, line));
    let (key, name) = (key.trim(), name.trim());
    (!key.is_empty() && is_data_key(name)).then(|| (key.to_owned(), name.to_owned()))
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

fn keys(text: &str) -> Result<String, String> {
    let mut names: Vec<String> = Vec::new();
    for (number, line) in lines(text).enumerate() {
        let Some((_, name)) = pair(line) else {
            return Err(format!(
                "Line {}: enter a key, or key = NAME with letters, digits, dots, dashes and underscores in the name.",
                number + 1
            ));
        };
        if names.contains(&name) {
            return Err(format!("Line {} repeats the name {name}.", number + 1));
        }
        names.push(name);
    }
    if names.len() > MOST_KEYS { Err(format!("Enter at most {MOST_KEYS} lines.")) } else { Ok(text.trim().to_owned()) }
}

impl Item {
    /// An item from the checked values of [`FIELDS`].
    pub fn of_form(id: String, values: &Values) -> Self {
        let kind = values.get("type").to_owned();
        Self {
            id,
            entry: None,
            secret: values.get("secret").to_owned(),
            namespaces: named(values.get("namespaces")).map(str::to_owned).collect(),
            registry: if kind == DOCKER { values.get("registry").to_owned() } else { String::new() },
            keys: lines(values.get("keys")).filter_map(pair).collect(),
            restart: values.get("restart") == "on",
            kind,
        }
    }

    /// The values of [`FIELDS`].
    pub fn to_form(&self) -> Values {
        let keys =
            self.keys.iter().map(|(key, name)| if key == name { key.clone() } else { format!("{key} = {name}") });
        let mut values = Values::default();
        values.set("secret", &self.secret);
        values.set("namespaces", self.namespaces.join(", "));
        values.set("type", &self.kind);
        values.set("registry", &self.registry);
        values.set("keys", keys.collect::<Vec<_>>().join("\n"));
        values.set("restart", if self.restart { "on" } else { "" });
        values
    }

    /// Whether a credential of the kind can be the source, so far as its kind tells.
    pub fn check_kind(&self, kind: &'static Kind) -> Result<(), Errors> {
        if let Some((key, _)) = self.keys.iter().find(|(key, _)| kind.fields.iter().all(|field| field.name != key)) {
            let known: Vec<&str> = kind.fields.iter().map(|field| field.name).collect();
            let text = format!("This credential has no value {key}. It has: {}.", known.join(", "));
            return Err(Errors::one("keys", text));
        }
        fits(self, kind).map_err(|text| Errors::one("type", text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_survives_its_form() {
        let pairs = [
            ("secret", "db"),
            ("namespaces", "shop, pay"),
            ("type", DOCKER),
            ("registry", "r.example"),
            ("keys", "password = DB_PASSWORD\nusername"),
            ("restart", "on"),
        ];
        let item = Item::of_form("a".into(), &pairs.into_iter().collect());
        assert_eq!(Item::of_form("a".into(), &item.to_form()), item);
        assert_eq!(item.keys[0], ("password".to_owned(), "DB_PASSWORD".to_owned()));
    }

    #[test]
    fn names_that_kubernetes_refuses_are_refused_by_the_form() {
        for bad in ["", "Shop", "a_b", "-a"] {
            assert!(namespaces(bad).is_err(), "{bad}");
        }
        assert_eq!(namespaces("b, a\nb").unwrap(), "b, a");
        for bad in ["a = b/c", "= b", "a = ", "a = x\nb = x"] {
            assert!(keys(bad).is_err(), "{bad}");
        }
        assert!(registry("https://r.example/x").is_err() && registry("r.example:5000").is_ok());
    }
}
