//! A session as people recognise it: browser and system, address, last seen.

use chrono::{DateTime, Utc};

use super::page::{When, when};
use crate::models::SessionId;
use crate::models::sessions::Session;

/// One session in a list.
#[derive(Clone, Debug)]
pub struct SessionLine {
    pub id: SessionId,
    pub device: String,
    pub address: String,
    pub since: When,
    pub seen: When,
    /// The one that asks.
    pub current: bool,
}

impl SessionLine {
    pub fn new(session: &Session, current: SessionId, now: DateTime<Utc>) -> Self {
        Self {
            id: session.id,
            device: device(&session.agent),
            address: session.address.clone(),
            since: when(session.created_at, now),
            seen: when(session.last_seen_at, now),
            current: session.id == current,
        }
    }
}

/// More particular names first: browsers claim to be each other.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

const SYSTEMS: &[(&str, &str)] = &[
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// `Firefox on Linux`; for what is no browser, its own first word.
fn device(agent: &str) -> String {
    let find =
        |list: &[(&str, &'static str)]| list.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    match (find(BROWSERS), find(SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => {
            let word: String = agent.split_whitespace().next().unwrap_or("").chars().take(40).collect();
            if word.is_empty() { "Unknown device".to_owned() } else { word }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_named_after_its_browser_and_system() {
        for (agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0 Mobile/15E148 Safari/604.1",
                "Chrome on iOS",
            ),
            ("curl/8.14.1", "curl/8.14.1"),
            ("", "Unknown device"),
        ] {
            assert_eq!(device(agent), name);
        }
    }
}
