//! What the program is to get, and how: from the names on the command line and the forms of their rules.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::super::cache::jittered;
use super::super::endpoints::Clouds;
use super::super::source::Source;
use super::super::trouble::{Result, Trouble};
use super::super::wire::{Fetched, is_rule};
use super::configuration;
use super::options::{How, Options};
use super::placed::Place;

/// Between two tries to get what a rule says to wait for.
const PAUSE: Duration = Duration::from_secs(5);

/// One field, in one variable: its value, or the path of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    pub variable: String,
    pub rule: String,
    pub field: String,
    pub as_file: bool,
    /// Where the file goes; `None`: into the folder of this `exec`.
    pub placed: Option<Place>,
}

pub struct Plan {
    pub deliveries: Vec<Delivery>,
    pub clouds: Clouds,
    /// Rules for which a tool has a configuration file.
    pub configured: Vec<String>,
    pub values: Values,
}

/// By the name of the rule.
pub type Values = BTreeMap<String, Arc<Fetched>>;

pub async fn make(source: &Source, options: &Options) -> Result<Plan> {
    let mut wanted = Vec::new();
    for (list, as_file) in [(&options.env, false), (&options.file, true)] {
        for text in list {
            wanted.push(parse(text, as_file)?);
        }
    }
    if options.rules.is_empty() && wanted.is_empty() {
        return Err(Trouble::local("name a rule to fetch, before the --"));
    }
    let mut values = Values::new();
    for rule in options.rules.iter().chain(wanted.iter().map(|wanted| &wanted.rule)) {
        if !values.contains_key(rule) {
            values.insert(rule.clone(), wait_for(source, rule).await?);
        }
    }
    let mut plan = Plan { deliveries: vec![], clouds: Clouds::default(), configured: vec![], values };
    for rule in &options.rules {
        plan.add(rule, options.how)?;
    }
    for one in wanted {
        plan.values[&one.rule].needed(&one.rule, &one.field)?;
        plan.deliveries.push(one);
    }
    plan.check()?;
    Ok(plan)
}

/// What the rule gives; waits for it if the rule says so.
async fn wait_for(source: &Source, rule: &str) -> Result<Arc<Fetched>> {
    let mut told = false;
    loop {
        match source.get(rule).await {
            Err(trouble @ Trouble::Wait { .. }) => {
                if !std::mem::replace(&mut told, true) {
                    eprintln!("strongroom-client: waiting for {rule}: {trouble}");
                }
                sleep(jittered(PAUSE)).await;
            }
            answered => return answered,
        }
    }
}

impl Plan {
    fn add(&mut self, rule: &str, how: How) -> Result<()> {
        let fetched = self.values[rule].clone();
        if matches!(how, How::Auto | How::Endpoint) {
            if let Some(slot) = self.clouds.slot(&fetched.form) {
                return match slot.replace(rule.to_owned()) {
                    None => Ok(()),
                    Some(other) => Err(Trouble::local(format!(
                        "{other} and {rule} are for the same cloud, and a program has one identity there: \
                         name one of them in --env instead"
                    ))),
                };
            }
            if how == How::Endpoint {
                return Err(Trouble::local(format!("no cloud has an endpoint for what the rule {rule} gives")));
            }
        }
        if how == How::Auto && configuration::of(&fetched.form).is_some() {
            let same = |other: &&String| self.values[*other].form == fetched.form;
            if let Some(other) = self.configured.iter().find(same) {
                let text = "would both be the configuration of one tool: run it once for each, or use --as env";
                return Err(Trouble::local(format!("{other} and {rule} {text}")));
            }
            self.configured.push(rule.to_owned());
            return Ok(());
        }
        self.deliver(rule, &fetched, how)
    }

    /// Each field in a variable or a file, called as the rule says, else after rule and field.
    fn deliver(&mut self, rule: &str, fetched: &Fetched, how: How) -> Result<()> {
        let said = fetched.delivery.clone().unwrap_or_default();
        let as_file = how == How::File || (how == How::Auto && said.how.as_deref() == Some("files"));
        let owner = said.owner.as_deref().map(owner).transpose()?;
        for field in fetched.data.keys() {
            let named: Vec<&String> = said.names.iter().filter(|(_, key)| key == field).map(|(name, _)| name).collect();
            let default = format!("{rule}_{field}");
            let names = if named.is_empty() { vec![&default] } else { named };
            for name in names {
                let suffix = if as_file { "_FILE" } else { "" };
                let variable = format!("{}{suffix}", variable(name));
                let folder = said.folder.as_deref().filter(|_| as_file).map(Path::new);
                let placed = folder.map(|folder| Place { folder: folder.to_owned(), name: name.clone(), owner });
                if placed.is_some() && !is_file_name(name) {
                    return Err(Trouble::local(format!("{name} of the rule {rule} cannot be the name of a file")));
                }
                let (rule, field) = (rule.to_owned(), field.clone());
                self.deliveries.push(Delivery { variable, rule, field, as_file, placed });
            }
        }
        Ok(())
    }

    /// Whether a rule says what to do when its value changes.
    pub fn reacts(&self) -> bool {
        let said = |one: &Delivery| self.values[&one.rule].delivery.as_ref()?.on_change.as_deref();
        self.deliveries.iter().any(|one| said(one).is_some_and(|what| what != "nothing"))
    }

    pub fn has_files(&self) -> bool {
        !self.configured.is_empty() || self.deliveries.iter().any(|one| one.as_file && one.placed.is_none())
    }

    fn check(&self) -> Result<()> {
        let mut seen = BTreeMap::new();
        for one in &self.deliveries {
            if let Some(other) = seen.insert(&one.variable, one).filter(|other| *other != one) {
                return Err(Trouble::local(format!(
                    "{}.{} and {}.{} would both be {}: give one another name with --env",
                    other.rule, other.field, one.rule, one.field, one.variable
                )));
            }
            if one.as_file && one.placed.is_none() && !is_file_name(&one.field) {
                return Err(Trouble::local(format!(
                    "the field {} of {} cannot be the name of a file",
                    one.field, one.rule
                )));
            }
        }
        Ok(())
    }
}

/// In capitals, with `_` for everything that cannot stand in a name: `RULE_FIELD`.
fn variable(name: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = name.chars().map(fits).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

fn is_file_name(field: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !field.is_empty() && !field.starts_with('.') && field.chars().all(allowed)
}

/// `NAME=rule.field`. A rule's name may hold dots, a field's does not.
fn parse(text: &str, as_file: bool) -> Result<Delivery> {
    let parts = text.split_once('=').and_then(|(name, rest)| Some((name, rest.rsplit_once('.')?)));
    let wrong = || Trouble::local(format!("{text:?} is not NAME=rule.field"));
    let (name, (rule, field)) = parts.ok_or_else(wrong)?;
    let fits = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !fits || name.starts_with(|c: char| c.is_ascii_digit()) || !is_rule(rule) || field.is_empty() {
        return Err(wrong());
    }
    Ok(Delivery { variable: name.to_owned(), rule: rule.to_owned(), field: field.to_owned(), as_file, placed: None })
}

/// `1000:1000`
fn owner(text: &str) -> Result<(u32, u32)> {
    let numbers = text.split_once(':').and_then(|(user, group)| Some((user.parse().ok()?, group.parse().ok()?)));
    numbers.ok_or_else(|| Trouble::local(format!("{text:?} is no owner of a file")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_named_after_rule_and_field() {
        assert_eq!(variable("db_password"), "DB_PASSWORD");
        assert_eq!(variable("team.db-2_user name"), "TEAM_DB_2_USER_NAME");
        assert_eq!(variable("1st_x"), "_1ST_X");
    }

    #[test]
    fn a_mapping_names_variable_rule_and_field() {
        let one = parse("PGPASSWORD=team.db.password", false).unwrap();
        assert_eq!(
            (one.variable.as_str(), one.rule.as_str(), one.field.as_str()),
            ("PGPASSWORD", "team.db", "password")
        );
        for wrong in ["PGPASSWORD", "A=b", "=a.b", "A B=a.b", "1A=a.b", "A=.b", "A=a.", "A=../x.y"] {
            assert!(parse(wrong, false).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_field_is_no_path() {
        assert!(is_file_name("ca.pem") && !is_file_name("..") && !is_file_name("a/b") && !is_file_name(""));
    }
}
