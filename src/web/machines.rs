//! The paths of programs, and how an error looks there: each protocol has a form of its own, and none is a page. What is
//! answered on them is in `api`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::json;

use super::error::{Error, Trail};

/// After so long a program that waits asks again.
const WAIT_SECONDS: i64 = 10;

/// The form of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Problem details (RFC 9457).
    Own,
    /// As Vault has them. <https://developer.hashicorp.com/vault/api-docs#error-response>
    Vault,
    /// As the vendor's API has them.
    Vendor,
    /// As the endpoint of AWS for containers has them.
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>
    Aws,
}

impl Shape {
    /// The form that belongs to a path; `None` for the path of a page.
    pub fn of(path: &str) -> Option<Self> {
        if path.starts_with("/machine/v1/aws/") {
            Some(Self::Aws)
        } else if path.starts_with("/machine/") {
            Some(Self::Own)
        } else if path.starts_with("/api/") {
            Some(Self::Vendor)
        } else {
            path.starts_with("/v1/").then_some(Self::Vault)
        }
    }

    /// `detail` is a whole sentence, or nothing. It holds no secret.
    pub fn error(self, status: StatusCode, detail: &str) -> HttpResponse {
        let title = status.canonical_reason().unwrap_or("Error");
        let (kind, body) = match self {
            Self::Own => (
                "application/problem+json",
                json!({"type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail}),
            ),
            Self::Vault if detail.is_empty() => ("application/json", json!({"errors": []})),
            Self::Vault => ("application/json", json!({"errors": [detail]})),
            Self::Vendor => ("application/json", json!({"err": if detail.is_empty() { title } else { detail }})),
            Self::Aws => ("application/json", json!({"code": title.replace(' ', ""), "message": detail})),
        };
        HttpResponse::build(status).insert_header((CONTENT_TYPE, kind)).body(body.to_string())
    }

    /// The same with the seconds after which to try again.
    pub fn error_for_now(self, status: StatusCode, detail: &str, seconds: i64) -> HttpResponse {
        let mut response = self.error(status, detail);
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
        response
    }

    /// The same where a program that starts is to wait.
    pub fn wait(self, detail: &str) -> HttpResponse {
        const STATUS: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
        if self != Self::Own {
            return self.error_for_now(STATUS, detail, WAIT_SECONDS);
        }
        let title = STATUS.canonical_reason().unwrap_or("Error");
        let body = json!({"type": "about:blank", "title": title, "status": STATUS.as_u16(), "detail": detail,
            "wait": true});
        let kind = (CONTENT_TYPE, "application/problem+json");
        HttpResponse::build(STATUS)
            .insert_header(kind)
            .insert_header((RETRY_AFTER, WAIT_SECONDS))
            .body(body.to_string())
    }

    /// An error that a handler was not asked about, or did not expect.
    pub fn of_error(self, error: &Error) -> HttpResponse {
        let problem = error.problem();
        let detail = if problem.text.is_empty() { problem.title } else { &problem.text };
        match error {
            Error::Unavailable | Error::ReadOnly | Error::Trail(Trail::Reading | Trail::Cut) => {
                self.error_for_now(error.status(), detail, 2)
            }
            _ => self.error(error.status(), detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_of_programs_has_the_errors_of_its_protocol() {
        for (path, shape) in [
            ("/machine/v1/aws/deploy", Some(Shape::Aws)),
            ("/machine/v1/values/db", Some(Shape::Own)),
            ("/machine/other", Some(Shape::Own)),
            ("/v1/secret/data/db", Some(Shape::Vault)),
            ("/api/v1/credentials", Some(Shape::Vendor)),
            ("/v1", None),
            ("/clients", None),
            ("/machines", None),
        ] {
            assert_eq!(Shape::of(path), shape, "{path}");
        }
    }
}
