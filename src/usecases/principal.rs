//! Who acts: a person with a browser session, or by a program that uses the API.

use std::sync::Arc;

use super::{Refusal, Unconfirmed};
use crate::accounts::Role;
use crate::accounts::visitor::Visitor;
use crate::models::events::Actor;

/// Who wants something done.
#[derive(Clone, Debug)]
pub enum Principal {
    User(Arc<Visitor>),
}

impl Principal {
    pub fn visitor(&self) -> &Visitor {
        match self {
            Self::User(visitor) => visitor,
        }
    }

    /// As the audit trail names them.
    pub fn actor(&self) -> Actor {
        self.visitor().actor()
    }

    /// Refuses who has a lesser role.
    pub fn require(&self, role: Role) -> Result<(), Refusal> {
        if self.visitor().may(role) { Ok(()) } else { Err(Refusal::Forbidden) }
    }

    /// Refuses who has not given the password within the last five minutes: a hijacked session must not do this.
    pub fn require_fresh(&self) -> Result<(), Refusal> {
        if self.visitor().confirmed_lately() { Ok(()) } else { Err(Refusal::Unconfirmed(Unconfirmed::default())) }
    }

    /// Both. The role comes first: nobody is asked for a password for what they may not do.
    pub fn require_fresh_as(&self, role: Role) -> Result<(), Refusal> {
        self.require(role)?;
        self.require_fresh()
    }
}
