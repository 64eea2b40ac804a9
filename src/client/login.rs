//! Saves how to log in, for the tools of a person or a machine: one file that only its owner reads.

use std::fs;
use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use clap::Args;
use zeroize::Zeroizing;

use super::environment::variable;
use super::identity::Proof;
use super::saved_login::{Saved, file};
use super::session_file;
use super::settings::Connection;
use super::trouble::{Result, Trouble};
use super::wire::Rules;

#[derive(Args)]
#[command(
    after_help = "With --client, this workload's own identity is used and no token is read: a service account token \
at /var/run/secrets/strongroom/token, a GitHub Actions job with `id-token: write`, STRONGROOM_ID_TOKEN of a GitLab job, or \
AWS credentials in the environment."
)]
pub struct Options {}

pub async fn run(connection: &Connection, _: Options) -> Result<ExitCode> {
    let url = connection.url.clone().ok_or_else(|| Trouble::local("which console? Name it with --url"))?;
    let client = connection.client.clone();
    let (proof, token) = match &client {
        Some(client) => (connection.workload(&url, client.clone())?, None),
        None => {
            let token = token()?;
            (Proof::Token(token.clone()), Some(token))
        }
    };
    // A login that does not work is not saved.
    let rules = connection.console_with(&url, proof)?.rules().await?;
    let file = Saved { url, token, client }.write()?;
    println!("Logged in. Saved in {}.", file.display());
    show(&rules);
    Ok(ExitCode::SUCCESS)
}

pub fn forget() -> Result<ExitCode> {
    session_file::forget();
    if let Some(file) = file().filter(|file| file.exists()) {
        let failed = |error| Trouble::Local(format!("cannot delete {}: {error}", file.display()));
        fs::remove_file(&file).map_err(failed)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn list(connection: &Connection) -> Result<ExitCode> {
    show(&connection.console()?.rules().await?);
    Ok(ExitCode::SUCCESS)
}

fn show(rules: &Rules) {
    for rule in &rules.rules {
        println!("{}\t{}", rule.name, rule.form.replace('_', " "));
    }
    if rules.rules.is_empty() {
        println!("This client has no rules yet.");
    }
}

/// One line from standard input, which a terminal does not show.
fn token() -> Result<Zeroizing<String>> {
    if variable("STRONGROOM_TOKEN").is_some() {
        return Err(Trouble::local("STRONGROOM_TOKEN is set and would go before a saved token: unset it first"));
    }
    let mut text = Zeroizing::new(String::with_capacity(4096));
    let input = std::io::stdin();
    let failed = |error: std::io::Error| Trouble::Local(format!("cannot read the token: {error}"));
    if input.is_terminal() {
        text = Zeroizing::new(rpassword::prompt_password("Token: ").map_err(failed)?);
    } else {
        input.lock().take(4096).read_to_string(&mut text).map_err(failed)?;
    }
    let token = text.trim();
    if token.is_empty() || token.contains(char::is_whitespace) {
        return Err(Trouble::local("no token came: give it on standard input, as one line"));
    }
    Ok(Zeroizing::new(token.to_owned()))
}
