//! Who calls: `Authorization: Bearer` with a session token, or `Basic` with user and password. Cookies are refused before.

use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::future::LocalBoxFuture;
use zeroize::Zeroizing;

use super::answer::Bad;
use crate::accounts::{Role, api_tokens};
use crate::services::Services;
use crate::usecases::api::{self, Denied};
use crate::usecases::{Confirmation, Principal};
use crate::web::admission::Admitted;
use crate::web::forwarded::client_ip;
use crate::web::params::Params;

/// No offset is greater.
const MOST: i64 = 1_000_000_000;

/// Somebody who calls, known or not.
pub struct Open {
    pub services: Data<Services>,
    pub address: IpAddr,
}

impl Open {
    fn read(request: &HttpRequest) -> Result<Self, Bad> {
        // A path that is written in escapes was not admitted as a program's.
        request.extensions().get::<Admitted>().ok_or(Bad::NotFound("There is no such call."))?;
        let services = request.app_data::<Data<Services>>().ok_or(Bad::NotFound(""))?.clone();
        let address = client_ip(request, &services);
        Ok(Self { services, address })
    }
}

impl FromRequest for Open {
    type Error = Bad;
    type Future = std::future::Ready<Result<Self, Bad>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Self::read(request))
    }
}

/// The session token of a request; `None` for a request without exactly one.
pub fn bearer(request: &HttpRequest) -> Option<Zeroizing<String>> {
    let (scheme, token) = sent(request)?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn sent(request: &HttpRequest) -> Option<(&str, Zeroizing<String>)> {
    let mut values = request.headers().get_all(AUTHORIZATION);
    let only = values.next().filter(|_| values.next().is_none())?.to_str().ok()?;
    let (scheme, rest) = only.split_once(' ')?;
    Some((scheme, Zeroizing::new(rest.trim().to_owned())))
}

/// A user whose program calls.
pub struct Caller {
    pub services: Data<Services>,
    pub address: IpAddr,
    pub principal: Principal,
    query: String,
}

impl Caller {
    /// A parameter of the address; blank where it is absent.
    pub fn asked(&self, name: &str) -> String {
        Params::read(&self.query).get(name).to_owned()
    }

    /// A parameter that may have several values, separated by commas or each by itself.
    pub fn all(&self, name: &str) -> Vec<String> {
        let pairs = form_urlencoded::parse(self.query.as_bytes()).filter(|(found, _)| found == name);
        let values = pairs.flat_map(|(_, value)| value.split(',').map(str::to_owned).collect::<Vec<_>>());
        values.filter(|value| !value.is_empty()).map(|value| value.replace('\0', "")).collect()
    }

    /// Whether a parameter says `true`.
    pub fn flag(&self, name: &str) -> bool {
        self.asked(name) == "true"
    }

    /// A parameter that is a number, none or more.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Bad> {
        let text = self.asked(name);
        if text.is_empty() {
            return Ok(None);
        }
        let number = text.parse::<i64>().ok().filter(|number| (0..=MOST).contains(number));
        number.map(Some).ok_or_else(|| Bad::said(format!("{name} must be a whole number.")))
    }

    /// Nobody is there to give a password.
    pub fn confirmation(&self) -> Confirmation<'static> {
        Confirmation { password: None, address: self.address }
    }

    async fn find(open: &Open, sent: Option<(bool, Zeroizing<String>)>) -> Result<Principal, Denied> {
        let Open { services, address } = open;
        match sent {
            Some((true, token)) => api::by_session(services, &token, *address).await,
            Some((false, encoded)) => {
                let (name, password) = api_tokens::basic(&encoded).ok_or(Denied::Wrong)?;
                api::by_password(services, &name, &password, *address).await
            }
            None => Err(Denied::Wrong),
        }
    }
}

impl FromRequest for Caller {
    type Error = Bad;
    type Future = LocalBoxFuture<'static, Result<Self, Bad>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let open = Open::read(request);
        let sent = sent(request).and_then(|(scheme, rest)| match scheme.to_ascii_lowercase().as_str() {
            "bearer" => Some((true, rest)),
            "basic" => Some((false, rest)),
            _ => None,
        });
        let query = request.query_string().to_owned();
        Box::pin(async move {
            let open = open?;
            let principal = Self::find(&open, sent).await?;
            let Open { services, address } = open;
            Ok(Self { services, address, principal, query })
        })
    }
}

/// A user whose program changes something: their role and the token's scope allow it. What it does asks once more.
pub struct Writer(pub Caller);

impl FromRequest for Writer {
    type Error = Bad;
    type Future = LocalBoxFuture<'static, Result<Self, Bad>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload);
        Box::pin(async move {
            let caller = caller.await?;
            caller.principal.require(Role::Operator)?;
            Ok(Self(caller))
        })
    }
}
