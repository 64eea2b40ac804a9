//! Heads of the audit trail that were kept elsewhere, in a log or a mail, against the trail as it is: an anchor that
//! the trail does not have any more proves that it was rolled back.

use std::collections::BTreeSet;
use std::fmt;

use diesel::prelude::*;

use super::events::LANES;
use super::schema::{audit_lanes, events};
use super::{Conn, DbError, exported};
use crate::vault::Vault;

/// Least characters of a link that count as an anchor.
const LEAST: usize = 16;
/// Characters of a whole link.
const MOST: usize = 64;

/// A head, as a line of the log or of a mail names it: `lane:event:link`, the link in hexadecimal and perhaps cut.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Anchor {
    pub lane: i16,
    pub seq: i64,
    link: String,
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.lane, self.seq, self.link)
    }
}

/// Every anchor in a text, whatever stands around it. Lines that a mail has folded are joined first (RFC 2045, 6.7).
pub fn find(text: &str) -> BTreeSet<Anchor> {
    let text = text.replace("=\r\n", "").replace("=\n", "").replace("=3A", ":");
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == ':'));
    words.filter_map(read).collect()
}

fn read(word: &str) -> Option<Anchor> {
    let mut parts = word.splitn(3, ':');
    let (lane, seq, link) = (parts.next()?, parts.next()?, parts.next()?);
    let hex = link.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if !hex || !(LEAST..=MOST).contains(&link.len()) {
        return None;
    }
    let (lane, seq) = (lane.parse().ok()?, seq.parse().ok()?);
    ((0..LANES).contains(&lane) && seq > 0).then(|| Anchor { lane, seq, link: link.to_owned() })
}

/// Whether the trail still has the event that an anchor names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The trail has the event, and it is the same.
    Yes,
    /// The event was exported to a file, where its link stands.
    Exported,
    /// The lane ends before it, at this event: the trail was rolled back.
    Cut(i64),
    /// The event is another one: the trail was rolled back and written on.
    Other,
}

/// Compares an anchor with the trail, whose own links are checked by `chain`.
pub fn compare(conn: &mut Conn, vault: &Vault, anchor: &Anchor) -> Result<Held, DbError> {
    let found: Option<Vec<u8>> =
        events::table.find((anchor.lane, anchor.seq)).select(events::mac).first(conn).optional()?;
    Ok(match found {
        Some(mac) if hex::encode(&mac).starts_with(&anchor.link) => Held::Yes,
        Some(_) => Held::Other,
        None => {
            if let Some(stretch) = exported::holding(conn, vault, (anchor.lane, anchor.seq))? {
                let is_end = stretch.last == anchor.seq;
                let same = hex::encode(&stretch.last_mac).starts_with(&anchor.link);
                return Ok(if is_end && same {
                    Held::Yes
                } else if is_end {
                    Held::Other
                } else {
                    Held::Exported
                });
            }
            let head = audit_lanes::table.find(anchor.lane).select(audit_lanes::seq).first(conn).optional()?;
            Held::Cut(head.unwrap_or(0))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_found_in_logs_and_folded_mails() {
        let link = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let log = format!("{{\"timestamp\":\"2026-11-26T12:00:01Z\",\"heads\":\"0:12:{link} 15:3:{link}\"}}");
        let found: Vec<String> = find(&log).iter().map(Anchor::to_string).collect();
        assert_eq!(found, [format!("0:12:{link}"), format!("15:3:{link}")]);
        let mail = "Audit trail: 5:120:9f86d0818=\r\n84c7d65 6:7:9f86d081884c7d65\r\n";
        let found: Vec<String> = find(mail).iter().map(Anchor::to_string).collect();
        assert_eq!(found, ["5:120:9f86d081884c7d65", "6:7:9f86d081884c7d65"]);
    }

    #[test]
    fn times_addresses_and_short_links_are_no_anchors() {
        for text in ["12:30:59", "5:120:9f86d0818", "99:1:9f86d081884c7d65", "5:0:9f86d081884c7d65", "fe80::1"] {
            assert!(find(text).is_empty(), "{text}");
        }
    }
}
