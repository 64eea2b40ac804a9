//! Where registries call when something in them changed. No login, no cookie: the address is the proof, so it is nowhere
//! logged. Whatever is wrong with it has the same answer as a page that is not there. The scan comes later.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Payload};
use futures_util::StreamExt;

use super::error::Error;
use super::escapes;
use crate::models::HookId;
use crate::services::Services;
use crate::usecases::hooks;

/// Bytes of a message. Those of vendors have a few thousand.
const LIMIT: usize = 256 * 1024;
/// Longest that a message may take to arrive.
const PATIENCE: Duration = Duration::from_secs(15);

/// Whether a path is below the one that registries call.
pub fn is_call(path: &str) -> bool {
    path.starts_with("/hooks/")
}

/// A path without the proof that an address of a webhook ends with, also where somebody has put more in front of it.
pub fn without_proof(path: &str) -> &str {
    let Some(start) = path.find("hooks/").map(|at| at + "hooks/".len()) else {
        // Written in escapes it leads there too.
        return if escapes::decoded(path).contains("hooks/") { "/hooks" } else { path };
    };
    path[start..].find('/').map_or(path, |at| &path[..start + at])
}

pub async fn receive(
    services: Data<Services>,
    address: Path<(HookId, String)>,
    payload: Payload,
) -> Result<HttpResponse, Error> {
    let (id, secret) = address.into_inner();
    let call = hooks::called(&services, id, &secret).await?;
    let message = tokio::time::timeout(PATIENCE, read(payload)).await.unwrap_or(Err(Error::TooSlow))?;
    hooks::tell(&services, &call, message).await?;
    Ok(HttpResponse::Ok().finish())
}

async fn read(mut payload: Payload) -> Result<Vec<u8>, Error> {
    let mut message = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Error::Malformed)?;
        if message.len() + chunk.len() > LIMIT {
            return Err(Error::TooLarge);
        }
        message.extend_from_slice(&chunk);
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_of_an_address_is_cut_off_wherever_it_stands() {
        for (path, shown) in [
            ("/hooks/0190/abcd", "/hooks/0190"),
            ("/hooks/0190/abcd/more", "/hooks/0190"),
            ("/strongroom/hooks/0190/abcd", "/strongroom/hooks/0190"),
            ("/hooks//0190/abcd", "/hooks/"),
            ("/hooks/0190", "/hooks/0190"),
            ("/%68ooks/0190/abcd", "/hooks"),
            ("/hook%73%2F0190/abcd", "/hooks"),
            ("/integrations/0190/runs", "/integrations/0190/runs"),
        ] {
            assert_eq!(without_proof(path), shown, "{path}");
        }
    }
}
