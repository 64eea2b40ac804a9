//! How refusals look, in the form of each protocol.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::program::Program;
use crate::opening::Closed;
use crate::usecases::clients::fetch::Refused;
use crate::web::error::Error;
use crate::web::machines::Shape;

const SWITCHED_OFF: &str = "This console does not answer this rule now. Its operator can allow stored values with \
    STRONGROOM_RELEASE_VALUES.";

/// The status and the words of a refusal. What is not there and what is not allowed have the same ones.
pub fn refused(shape: Shape, refused: &Refused) -> HttpResponse {
    match refused {
        Refused::Unauthenticated => match shape {
            // Vault never answers 401.
            Shape::Vault => shape.error(StatusCode::FORBIDDEN, "permission denied"),
            _ => shape.error(StatusCode::UNAUTHORIZED, "The token or secret is not accepted."),
        },
        Refused::Unknown => unknown_rule(shape),
        Refused::TooOften(seconds) => {
            let detail = format!("Too many attempts. Try again in {seconds} seconds.");
            shape.error_for_now(StatusCode::TOO_MANY_REQUESTS, &detail, *seconds)
        }
        Refused::SwitchedOff => shape.error_for_now(StatusCode::SERVICE_UNAVAILABLE, SWITCHED_OFF, 60),
        Refused::Failed(failed) if failed.waits => shape.wait(&failed.failure.to_string()),
        Refused::Failed(failed) => shape.error(StatusCode::BAD_GATEWAY, &failed.failure.to_string()),
        Refused::Closed(closed @ (Closed::Stale | Closed::Held)) => {
            shape.error_for_now(StatusCode::SERVICE_UNAVAILABLE, &sentence(*closed), 2)
        }
        Refused::Closed(closed) => shape.error(StatusCode::BAD_GATEWAY, &sentence(*closed)),
        Refused::Db(error) => shape.of_error(&Error::from(error.clone())),
    }
}

fn sentence(closed: Closed) -> String {
    format!("The credential can't be used: {}", closed.sentence())
}

pub fn unknown_rule(shape: Shape) -> HttpResponse {
    match shape {
        // Its clients take an empty list for a secret that is not there.
        Shape::Vault => shape.error(StatusCode::NOT_FOUND, ""),
        _ => shape.error(StatusCode::NOT_FOUND, "There is no such rule for this client."),
    }
}

/// What is not in the tree.
pub async fn unknown(request: HttpRequest, program: Option<Program>) -> HttpResponse {
    let shape = program.map(|program| program.shape).or_else(|| Shape::of(request.path())).unwrap_or(Shape::Own);
    match shape {
        Shape::Vault if *request.method() != "GET" && *request.method() != "LIST" => {
            shape.error(StatusCode::FORBIDDEN, "permission denied")
        }
        Shape::Vault => shape.error(StatusCode::NOT_FOUND, ""),
        _ => shape.error(StatusCode::NOT_FOUND, "There is no such call."),
    }
}
