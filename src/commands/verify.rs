//! `strongroom verify`: opens everything once and names what fails, never its contents.

use std::process::ExitCode;

use super::{Wants, fail, open, say};
use crate::config::StoreSettings;
use crate::verification;

pub fn run(settings: &StoreSettings) -> ExitCode {
    let mut store = match open(settings, Wants::Existing) {
        Ok(store) => store,
        Err(status) => return status,
    };
    let walk = match verification::verify(&mut store.conn, &store.vault) {
        Ok(walk) => walk,
        Err(error) => return fail(&error),
    };
    for failure in &walk.failures {
        say(failure);
    }
    say(&walk.summary());
    if walk.failures.is_empty() {
        say(&"all is well");
        return ExitCode::SUCCESS;
    }
    fail(&format!("{} failures, named above", walk.failures.len()))
}
