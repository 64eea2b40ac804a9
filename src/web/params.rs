//! The query of an address, bounded and lenient: unknown names are ignored, so that links live long.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::error::Error;

/// Longest value that is looked at, in characters.
const LONGEST: usize = 8_000;

/// Names and values; of a repeated name the first.
#[derive(Clone, Debug, Default)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The same address with some parameters set; an empty value takes one away.
    pub fn link(&self, path: &str, changes: &[(&str, &str)]) -> String {
        let mut pairs = self.0.clone();
        for (name, value) in changes {
            pairs.insert((*name).to_owned(), (*value).to_owned());
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
        match query.finish() {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }
}

/// The `{id}` of the address; what is no id names no page.
pub fn id<Id: FromStr>(request: &HttpRequest) -> Result<Id, Error> {
    request.match_info().get("id").and_then(|id| id.parse().ok()).ok_or(Error::NotFound)
}

impl FromRequest for Params {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::read(request.query_string())))
    }
}

impl Params {
    /// Of the text after the question mark.
    pub fn read(query: &str) -> Self {
        let mut params = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            // Postgres takes no NUL in a text, and nobody searches for one. A certificate has lines.
            let value: String = value.chars().filter(|c| !c.is_control() || *c == '\n').take(LONGEST).collect();
            params.0.entry(name.into_owned()).or_insert(value);
        }
        params
    }
}
