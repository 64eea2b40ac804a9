//! `strongroom user …`: users without a browser, for set-up by script and for who has locked everybody out. The rules are
//! those of the console: `accounts` judges passwords, `models::users` keeps the last administrator.

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use zeroize::Zeroizing;

use super::{Store, Wants, fail, open, say};
use crate::accounts::{self, Hasher, Role, password};
use crate::cli::{RoleName, UserAction, UserArgs};
use crate::integrations::alerts::email::address;
use crate::models::events::Actor;
use crate::models::users::{self, Change, NewUser};
use crate::models::{self, DbError};
use crate::names;

/// More than any password that is accepted.
const LONGEST_INPUT: u64 = 4096;

pub fn run(args: &UserArgs) -> ExitCode {
    match act(args) {
        Ok(done) => {
            say(&done);
            ExitCode::SUCCESS
        }
        Err(status) => status,
    }
}

fn act(args: &UserArgs) -> Result<String, ExitCode> {
    match &args.action {
        UserAction::Add { name, role, email, temporary } => {
            let name = accounts::user_name(name).map_err(|problem| fail(&problem))?;
            let email = email.as_deref().map(address).transpose().map_err(|problem| fail(&problem))?;
            let hash = read_hash(&name)?;
            let (role, mut store) = (slug(*role), open(&args.store, Wants::Made)?);
            let Store { conn, vault, .. } = &mut store;
            let (email, temporary) = (email.as_deref(), *temporary);
            let new = NewUser { name: &name, role, email, hash: &hash, temporary };
            let create = |conn: &mut _| users::add(conn, vault, &Actor::command_line(), &new).map(drop);
            models::transaction(conn, &create).map_err(|error| refused(&name, &error))?;
            Ok(format!("{name} can log in as {role}"))
        }
        UserAction::Disable { name } => {
            let name = change(args, name, &Change::Disabled(true))?;
            Ok(format!("{name} can no longer log in, and all sessions of {name} have ended"))
        }
        UserAction::Password { name, temporary } => {
            let kind = if *temporary { Change::TemporaryPassword } else { Change::Password };
            let change_to = kind(read_hash(name)?);
            let name = change(args, name, &change_to)?;
            Ok(format!("{name} has a new password, and all sessions of {name} have ended"))
        }
        UserAction::Roles { name, role } => {
            let name = change(args, name, &Change::Role(slug(*role).to_owned()))?;
            Ok(format!("{name} is {} now, and all sessions of {name} have ended", slug(*role)))
        }
    }
}

fn slug(role: RoleName) -> &'static str {
    match role {
        RoleName::Administrator => Role::Administrator,
        RoleName::Operator => Role::Operator,
        RoleName::Auditor => Role::Auditor,
    }
    .slug()
}

/// Applies a change to the user of that name; returns the name as it is stored.
fn change(args: &UserArgs, name: &str, change: &Change) -> Result<String, ExitCode> {
    let mut store = open(&args.store, Wants::Existing)?;
    let Store { conn, vault, .. } = &mut store;
    let apply = |conn: &mut _| {
        let user = users::find_by_key(conn, vault, &names::key(name))?.ok_or(DbError::NotFound)?.into_shown();
        users::change(conn, vault, &Actor::command_line(), user.id, change, None)?;
        Ok(user.name)
    };
    models::transaction(conn, &apply).map_err(|error| refused(name, &error))
}

fn refused(name: &str, error: &DbError) -> ExitCode {
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    match error {
        DbError::NotFound => fail(&format!("there is no user {name}")),
        DbError::Duplicate(index) if index.contains("email") => fail(&"another user has this e-mail address"),
        DbError::Duplicate(_) => fail(&format!("there is a user {name} already")),
        DbError::Check(check) if check == "users_last_administrator" => {
            fail(&format!("{name} is the last administrator who can log in: make another one first"))
        }
        DbError::Integrity => {
            fail(&format!("the row of {name} is not what Strongroom saved: disable it in the database, add a new user"))
        }
        error => fail(error),
    }
}

/// Reads a password that may be set, and hashes it.
fn read_hash(name: &str) -> Result<String, ExitCode> {
    let password = read_password()?;
    password::acceptable(&password, name).map_err(|problem| fail(&problem))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| fail(&error))?;
    runtime.block_on(Hasher::default().hash(&password)).map_err(|error| fail(&error))
}

/// Twice and unseen at a terminal; else the first line of standard input.
fn read_password() -> Result<Zeroizing<String>, ExitCode> {
    if std::io::stdin().is_terminal() {
        let prompt = |text| rpassword::prompt_password(text).map(Zeroizing::new).map_err(|error| fail(&error));
        let password = prompt("Password: ")?;
        if *password != *prompt("Again: ")? {
            return Err(fail(&"the two passwords differ"));
        }
        return Ok(password);
    }
    let mut text = Zeroizing::new(String::with_capacity(LONGEST_INPUT as usize));
    std::io::stdin()
        .take(LONGEST_INPUT)
        .read_to_string(&mut text)
        .map_err(|_| fail(&"the password on standard input is not UTF-8 text"))?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}
