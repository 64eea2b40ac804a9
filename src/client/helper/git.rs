//! Git's credential helper. <https://git-scm.com/docs/gitcredentials>, <https://git-scm.com/docs/git-credential>

use std::collections::HashMap;
use std::process::ExitCode;

use super::super::source::Source;
use super::super::trouble::{Result, Trouble};
use super::docker;
use super::input::input;
use super::mapping::{Hosts, Mapping};

pub async fn run(source: &Source, words: &[String], hosts: &Hosts) -> Result<ExitCode> {
    let Some((action, pairs)) = words.split_last() else { return Err(Trouble::local("name get, store or erase")) };
    // Nothing is kept, and what is unknown must be ignored.
    if action != "get" {
        return Ok(ExitCode::SUCCESS);
    }
    let text = input()?;
    let asked: HashMap<&str, &str> =
        text.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_once('=')).collect();
    let host = asked.get("host").copied().unwrap_or_default();
    let is_secure = asked.get("protocol") == Some(&"https");
    let address = match asked.get("path") {
        Some(path) => format!("{host}/{path}"),
        None => host.to_owned(),
    };
    // A rule always has a host beside it: git asks for any server that a repository names.
    let mapping = if pairs.is_empty() { hosts.read()? } else { Mapping::of_arguments(pairs)? };
    // Git goes on without, if we say nothing.
    let Some(rule) = mapping.rule(&address) else { return Ok(ExitCode::SUCCESS) };
    if !is_secure && !is_loopback(host) {
        return Err(Trouble::Local(format!("{host} is not asked over https: the credentials stay here")));
    }
    let fetched = source.get(rule).await?;
    let (user, password) = docker::login(&fetched, rule, host)?;
    if asked.get("username").is_some_and(|wanted| *wanted != user) && fetched.field("username").is_some() {
        return Ok(ExitCode::SUCCESS);
    }
    if [user, password].iter().any(|text| text.contains(['\n', '\0'])) {
        return Err(Trouble::Local(format!("what the rule {rule} gives cannot be a password for git")));
    }
    println!("username={user}\npassword={password}");
    if let Some(end) = fetched.expires_at {
        println!("password_expiry_utc={}", end.timestamp());
    }
    Ok(ExitCode::SUCCESS)
}

fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
