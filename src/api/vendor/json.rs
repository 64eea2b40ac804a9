//! What a program sends, as JSON whatever it calls it. Members that nobody knows are ignored, and so is a member that is
//! null. An error names the member and never repeats what was in it, which may be a secret.

use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value};

use super::answer::Bad;
use super::caller::{Caller, Writer};

/// Most bytes of what a program sends: a kubeconfig of 256 KiB, as JSON.
pub const LIMIT: usize = 1024 * 1024;

/// The body of a request; an empty one is null.
pub struct Body(pub Value);

impl FromRequest for Body {
    type Error = Bad;
    type Future = LocalBoxFuture<'static, Result<Self, Bad>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = Bytes::from_request(request, payload);
        Box::pin(async move {
            let body = body.await.ok().filter(|body| body.len() <= LIMIT).ok_or(Bad::TooLarge)?;
            if body.trim_ascii().is_empty() {
                return Ok(Self(Value::Null));
            }
            serde_json::from_slice(&body).map(Self).map_err(|_| Bad::said("The body must be JSON."))
        })
    }
}

/// What a program sends that changes something: nobody who may not is told what is wrong with it.
pub struct Sent {
    pub caller: Caller,
    pub body: Value,
}

impl FromRequest for Sent {
    type Error = Bad;
    type Future = LocalBoxFuture<'static, Result<Self, Bad>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (writer, body) = (Writer::from_request(request, payload), Body::from_request(request, payload));
        Box::pin(async move {
            let Writer(caller) = writer.await?;
            Ok(Self { caller, body: body.await?.0 })
        })
    }
}

/// An object of what was sent.
#[derive(Clone, Copy)]
pub struct Object<'a>(&'a Map<String, Value>);

fn wrong(member: &str, kind: &str) -> Bad {
    Bad::said(format!("{member} must be {kind}."))
}

impl<'a> Object<'a> {
    /// `what` is how an error calls it.
    pub fn of(value: &'a Value, what: &str) -> Result<Self, Bad> {
        value.as_object().map(Self).ok_or_else(|| wrong(what, "a JSON object"))
    }

    fn get(self, member: &str) -> Option<&'a Value> {
        self.0.get(member).filter(|value| !value.is_null())
    }

    pub fn text(self, member: &str) -> Result<Option<&'a str>, Bad> {
        let text = |value: &'a Value| value.as_str().ok_or_else(|| wrong(member, "a string"));
        self.get(member).map(text).transpose()
    }

    pub fn flag(self, member: &str) -> Result<Option<bool>, Bad> {
        let flag = |value: &'a Value| value.as_bool().ok_or_else(|| wrong(member, "true or false"));
        self.get(member).map(flag).transpose()
    }

    pub fn number(self, member: &str) -> Result<Option<i64>, Bad> {
        let number = |value: &'a Value| value.as_i64().ok_or_else(|| wrong(member, "a whole number"));
        self.get(member).map(number).transpose()
    }

    /// Where it is absent, an object without members.
    pub fn object(self, member: &str) -> Result<Option<Object<'a>>, Bad> {
        self.get(member).map(|value| Object::of(value, member)).transpose()
    }

    pub fn list(self, member: &str) -> Result<Option<&'a [Value]>, Bad> {
        let list = |value: &'a Value| value.as_array().map(Vec::as_slice).ok_or_else(|| wrong(member, "a list"));
        self.get(member).map(list).transpose()
    }

    pub fn texts(self, member: &str) -> Result<Option<Vec<&'a str>>, Bad> {
        let Some(list) = self.list(member)? else { return Ok(None) };
        let texts = list.iter().map(|value| value.as_str().ok_or_else(|| wrong(member, "a list of strings")));
        texts.collect::<Result<Vec<_>, _>>().map(Some)
    }
}
