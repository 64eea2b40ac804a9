//! What comes with a program's request: the token that it shows, and the address that it comes from.

use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::services::Services;
use crate::usecases::clients::fetch::Question;
use crate::web::admission::Admitted;
use crate::web::forwarded::client_ip;
use crate::web::machines::Shape;

/// Most bytes of what a program posts.
const LIMIT: usize = 64 * 1024;
/// Vault's own header for a token.
const VAULT_TOKEN: &str = "x-vault-token";

/// A program's request.
pub struct Program {
    pub services: Data<Services>,
    /// As it was sent; blank if none was.
    token: Zeroizing<String>,
    pub address: IpAddr,
    pub shape: Shape,
}

impl Program {
    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn question<'a>(&'a self, rule: &'a str) -> Question<'a> {
        Question { token: &self.token, rule, address: self.address }
    }

    fn read(request: &HttpRequest) -> Option<Self> {
        // A path that is written in escapes was not admitted as a program's.
        request.extensions().get::<Admitted>()?;
        let services = request.app_data::<Data<Services>>()?.clone();
        let (address, shape) = (client_ip(request, &services), Shape::of(request.path())?);
        Some(Self { services, token: Zeroizing::new(token(request, shape).unwrap_or_default()), address, shape })
    }
}

/// `Authorization: Bearer …`, in Vault's protocol also `X-Vault-Token`, in that of AWS the token alone. One that is sent
/// twice is none.
fn token(request: &HttpRequest, shape: Shape) -> Option<String> {
    let only = |name: &str| {
        let mut values = request.headers().get_all(name);
        values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
    };
    if shape == Shape::Vault
        && let Some(token) = only(VAULT_TOKEN)
    {
        return Some(token.to_owned());
    }
    let sent = only(AUTHORIZATION.as_str())?;
    let bearer = sent.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match bearer {
        Some((_, token)) => Some(token.trim().to_owned()),
        None if shape == Shape::Aws => Some(sent.to_owned()),
        None => None,
    }
}

impl FromRequest for Program {
    type Error = Unread;
    type Future = std::future::Ready<Result<Self, Unread>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Self::read(request).ok_or(Unread(Shape::Own, StatusCode::NOT_FOUND)))
    }
}

/// What a program posts, as JSON whatever it calls it.
pub struct Posted<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Posted<T> {
    type Error = Unread;
    type Future = LocalBoxFuture<'static, Result<Self, Unread>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let shape = Shape::of(request.path()).unwrap_or(Shape::Own);
        let length = request.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
        let too_large = length.is_some_and(|length: usize| length > LIMIT);
        let body = Bytes::from_request(request, payload);
        Box::pin(async move {
            if too_large {
                return Err(Unread(shape, StatusCode::PAYLOAD_TOO_LARGE));
            }
            let body = body.await.ok().filter(|body| body.len() <= LIMIT);
            let body = body.ok_or(Unread(shape, StatusCode::PAYLOAD_TOO_LARGE))?;
            // A parser's own words may repeat what was sent.
            serde_json::from_slice(&body).map(Self).map_err(|_| Unread(shape, StatusCode::BAD_REQUEST))
        })
    }
}

/// A request that cannot be read.
#[derive(Debug)]
pub struct Unread(Shape, StatusCode);

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the request cannot be read")
    }
}

impl ResponseError for Unread {
    fn error_response(&self) -> HttpResponse {
        let detail = match self.1 {
            StatusCode::BAD_REQUEST => "The body must be a JSON object with the members of this call.",
            StatusCode::PAYLOAD_TOO_LARGE => "The body may have 64 KiB.",
            _ => "",
        };
        self.0.error(self.1, detail)
    }
}
