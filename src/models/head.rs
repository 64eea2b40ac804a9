//! The last event of a lane of the audit trail.

use std::fmt;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, SmallInt};

use super::events;
use crate::vault::Vault;

/// The last event of a lane. Kept elsewhere, it proves later that the trail was not rolled back.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Head {
    #[diesel(sql_type = SmallInt)]
    pub lane: i16,
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
    #[diesel(sql_type = Binary)]
    pub mac: Vec<u8>,
    #[diesel(sql_type = Binary)]
    head_mac: Vec<u8>,
    /// The number of the last event that is there.
    #[diesel(sql_type = BigInt)]
    pub(super) last: i64,
}

/// Characters of a link that an anchor in a mail has: 64 bits of the MAC, which nobody can choose without the key.
const SHORT: usize = 16;

impl Head {
    /// Whether Strongroom wrote this head.
    pub(super) fn is_signed(&self, vault: &Vault) -> bool {
        self.head_mac == events::head_mac(vault, self.lane, self.seq, &self.mac)
    }

    /// For a mail, where a whole link would be too long.
    pub fn short(&self) -> String {
        let link = hex::encode(&self.mac);
        format!("{}:{}:{}", self.lane, self.seq, link.get(..SHORT).unwrap_or(&link))
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.lane, self.seq, hex::encode(&self.mac))
    }
}
