//! Access keys of AWS: `accessKeys.csv` of the IAM console, what `aws iam create-access-key` prints, and the profiles of
//! `~/.aws/credentials` (AWS CLI, "Configuration and credential file settings").

use super::contents::{Candidate, Contents};
use crate::credentials::document::Node;
use crate::credentials::{aws, document};
use crate::form::Values;

fn key(name: &str, place: String, id: &str, secret: &str) -> Candidate {
    let pairs = [("method", "access_key"), ("access_key_id", id.trim()), ("secret_access_key", secret.trim())];
    let tail = id.trim().get(id.trim().len().saturating_sub(4)..).unwrap_or_default();
    let name = if name.trim().is_empty() { format!("AWS access key …{tail}") } else { name.trim().to_owned() };
    Candidate { kind: &aws::KIND, name, place, values: pairs.into_iter().collect::<Values>() }
}

/// The CSV of the console: with a user's name, or without.
pub fn console(text: &str) -> Option<Result<Contents, String>> {
    let heading = text.lines().next()?.to_lowercase();
    if !heading.contains("access key id") || !heading.contains("secret access key") {
        return None;
    }
    Some(rows(text))
}

fn rows(text: &str) -> Result<Contents, String> {
    let mut contents = Contents::new("Access keys of the IAM console");
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let heading = reader.headers().map_err(|_| "The first line of the CSV cannot be read.".to_owned())?.clone();
    let column = |wanted: &str| heading.iter().position(|name| name.trim().eq_ignore_ascii_case(wanted));
    let (user, id, secret) = (column("User name"), column("Access key ID"), column("Secret access key"));
    for (number, row) in reader.records().enumerate() {
        let place = format!("line {}", number + 2);
        let Ok(row) = row else {
            contents.skip(place, "The line cannot be read.");
            continue;
        };
        let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).unwrap_or_default();
        match (cell(id), cell(secret)) {
            ("", _) | (_, "") => contents.skip(place, "The access key or its secret is missing."),
            (id, secret) => contents.candidates.push(key(cell(user), place, id, secret)),
        }
    }
    Ok(contents)
}

/// `{"AccessKey": {"UserName": …, "AccessKeyId": …, "SecretAccessKey": …}}`
pub fn created(text: &str) -> Option<Result<Contents, String>> {
    if !text.starts_with('{') || !text.contains("\"SecretAccessKey\"") {
        return None;
    }
    let read = document::json(text).map_err(|fault| fault.to_string()).map(|root| {
        let mut contents = Contents::new("Answer of aws iam create-access-key");
        let body = root.get("AccessKey").unwrap_or(&root);
        let member = |name: &str| body.get(name).and_then(Node::text).unwrap_or_default();
        match (member("AccessKeyId"), member("SecretAccessKey"), member("SessionToken")) {
            (_, _, token) if !token.is_empty() => contents.skip("the answer", TEMPORARY),
            ("", ..) | (_, "", _) => contents.skip("the answer", "The access key or its secret is missing."),
            (id, secret, _) => contents.candidates.push(key(member("UserName"), "the answer".to_owned(), id, secret)),
        }
        contents
    });
    Some(read)
}

const TEMPORARY: &str = "These are temporary credentials. Import the access key behind them instead.";

/// A section of the credentials file.
#[derive(Default)]
struct Profile<'t> {
    name: &'t str,
    settings: Vec<(String, &'t str)>,
}

impl Profile<'_> {
    fn get(&self, name: &str) -> &str {
        self.settings.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// The credentials file, or the config file, which says `[profile name]`.
pub fn profiles(text: &str) -> Option<Result<Contents, String>> {
    if !text.to_lowercase().contains("aws_access_key_id") || !text.contains('[') {
        return None;
    }
    let mut contents = Contents::new("AWS credentials file");
    for profile in sections(text) {
        let place = format!("profile {}", profile.name);
        let (id, secret) = (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key"));
        let other = ["credential_process", "sso_session", "sso_start_url", "role_arn", "web_identity_token_file"];
        match other.iter().find(|name| !profile.get(name).is_empty()) {
            _ if !profile.get("aws_session_token").is_empty() => contents.skip(place, TEMPORARY),
            _ if !id.is_empty() && !secret.is_empty() => contents.candidates.push(key(profile.name, place, id, secret)),
            Some(other) => contents.skip(place, format!("It has no key: it signs in with {other}.")),
            None => contents.skip(place, "The access key or its secret is missing."),
        }
    }
    Some(Ok(contents))
}

fn sections(text: &str) -> Vec<Profile<'_>> {
    let mut profiles = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(heading) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let name = heading.trim().strip_prefix("profile ").unwrap_or(heading).trim().trim_matches('"');
            profiles.push(Profile { name, ..Profile::default() });
        } else if let (Some(profile), Some((name, value))) = (profiles.last_mut(), line.split_once('=')) {
            profile.settings.push((name.trim().to_lowercase(), value.trim()));
        }
    }
    profiles
}
