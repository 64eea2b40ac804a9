//! The session of a job whose identity token counts once, as GitLab's do: the first program of the job logs in, and the
//! next ones go on with its session, from a file, until it ends.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::environment::folder;
use super::private_file;
use super::wire::LoggedIn;

#[derive(Deserialize, Serialize)]
struct Kept {
    console: String,
    client: String,
    session: LoggedIn,
}

fn file() -> Option<PathBuf> {
    Some(folder()?.join("session.json"))
}

/// That of this client at this console.
pub fn read(console: &str, client: &str) -> Option<LoggedIn> {
    let text = private_file::read(&file()?).ok()??;
    let kept: Kept = serde_json::from_str(&text).ok()?;
    (kept.console == console && kept.client == client).then_some(kept.session)
}

/// Where it cannot be kept, the next program says that it cannot log in.
pub fn write(console: &str, client: &str, session: &LoggedIn) {
    let session = LoggedIn { token: session.token.clone(), expires_at: session.expires_at };
    let kept = Kept { console: console.to_owned(), client: client.to_owned(), session };
    if let (Some(file), Ok(text)) = (file(), serde_json::to_string(&kept).map(zeroize::Zeroizing::new)) {
        let _ = private_file::write(&file, &text);
    }
}

pub fn forget() {
    if let Some(file) = file() {
        let _ = std::fs::remove_file(file);
    }
}
