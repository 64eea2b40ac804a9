//! The password once more, before what a hijacked session must not do.

use std::net::IpAddr;

use super::{Refusal, Unconfirmed};
use crate::accounts::Refused;
use crate::accounts::visitor::Visitor;
use crate::services::Services;

/// The password that comes with a request.
#[derive(Clone, Copy)]
pub struct Confirmation<'a> {
    /// `None` while nobody has been asked for it.
    pub password: Option<&'a str>,
    /// Where the request comes from: wrong passwords are counted by it.
    pub address: IpAddr,
}

/// Passes who has given the password within the last five minutes, or gives it now.
pub async fn confirm(services: &Services, visitor: &Visitor, confirmation: &Confirmation<'_>) -> Result<(), Refusal> {
    if visitor.confirmed_lately() { Ok(()) } else { check_password(services, visitor, confirmation).await }
}

/// Passes who gives the right password now.
pub(super) async fn check_password(
    services: &Services,
    visitor: &Visitor,
    confirmation: &Confirmation<'_>,
) -> Result<(), Refusal> {
    let unconfirmed =
        |error: &str| Err(Refusal::Unconfirmed(Unconfirmed { error: Some(error.to_owned()), seconds: None }));
    let password = match confirmation.password {
        None => return Err(Refusal::Unconfirmed(Unconfirmed::default())),
        Some("") => return unconfirmed("Enter your password."),
        Some(password) => password,
    };
    match services.gate.password(&visitor.name, password, confirmation.address).await {
        Ok(user) if user.id == visitor.user_id => Ok(()),
        Ok(_) | Err(Refused::Wrong) => unconfirmed("Wrong password."),
        Err(refused @ Refused::Throttled(seconds)) => {
            Err(Refusal::Unconfirmed(Unconfirmed { error: Some(refused.to_string()), seconds: Some(seconds) }))
        }
        Err(Refused::Busy(busy)) => Err(busy.into()),
        Err(Refused::Db(error)) => Err(error.into()),
    }
}
