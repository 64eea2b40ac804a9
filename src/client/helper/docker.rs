//! Docker's credential helper. Errors go to standard output, where Docker reads them.
//! <https://github.com/docker/docker-credential-helpers#development>

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::json;

use super::super::source::Source;
use super::super::trouble::{Result, Trouble};
use super::super::wire::Fetched;
use super::input::input;
use super::mapping::{self, Hosts};

/// Exactly this: then Docker goes on without credentials.
const NOT_FOUND: &str = "credentials not found in native keychain";

pub async fn run(source: &Source, action: &str, hosts: &Hosts) -> ExitCode {
    let answered = match action {
        "get" => get(source, hosts).await,
        "list" => list(hosts),
        // Logging out of what was never kept.
        "erase" => return ExitCode::SUCCESS,
        "store" => Err(Trouble::local(
            "Strongroom gives out these credentials: there is nothing to store, and no need to log in",
        )),
        _ => Err(Trouble::Local(format!("unknown action {action:?}"))),
    };
    match answered {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(trouble) => {
            println!("{trouble}");
            ExitCode::FAILURE
        }
    }
}

async fn get(source: &Source, hosts: &Hosts) -> Result<String> {
    let address = input()?;
    let address = address.trim();
    if address.is_empty() {
        return Err(Trouble::local("no credentials server URL"));
    }
    let mapping = hosts.read()?;
    let rule = mapping.rule(address).ok_or_else(|| Trouble::local(NOT_FOUND))?;
    let fetched = source.get(rule).await?;
    let (user, password) = login(&fetched, rule, address)?;
    Ok(json!({ "ServerURL": address, "Username": user, "Secret": password }).to_string())
}

/// Cheap, since Docker lists before much else: nothing is fetched.
fn list(hosts: &Hosts) -> Result<String> {
    let mapping = hosts.read()?;
    let address = |host: &str| match host {
        "docker.io" => "https://index.docker.io/v1/".to_owned(),
        host => format!("https://{host}"),
    };
    let list: BTreeMap<String, &str> = mapping.hosts().map(|host| (address(host), "strongroom")).collect();
    Ok(json!(list).to_string())
}

/// User name and password for a host. A login that is issued for one registry goes to no other.
pub fn login<'a>(fetched: &'a Fetched, rule: &str, address: &str) -> Result<(&'a str, &'a str)> {
    let (host, _) = mapping::split(address);
    let issued_for = fetched.field("registry").map(|registry| mapping::split(registry).0);
    if let Some(other) = issued_for.filter(|registry| *registry != host) {
        return Err(Trouble::Local(format!("the rule {rule} is for {other}, not for {host}")));
    }
    let password = ["password", "token", "access_token", "api_key"].into_iter().find_map(|name| fetched.field(name));
    let user = fetched.field("username").or_else(|| fetched.field("user")).unwrap_or("x-access-token");
    match password {
        Some(password) => Ok((user, password)),
        None => fetched.needed(rule, "password").map(|password| (user, password)),
    }
}
