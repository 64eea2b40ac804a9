//! A webhook of one's own: one POST of JSON for each digest, signed by Standard Webhooks when the credential has a
//! signing secret. What is posted is in `wire`, how a receiver checks it in the guide of the credential's type.

use futures_util::future::BoxFuture;
use reqwest::Method;
use secrecy::ExposeSecret;
use url::Url;

use super::call::{self, Caller, Peer};
use super::{Channel, Dispatch, Failure, Receipt, fields, wire};
use crate::credentials::webhook::Payload;
use crate::form::Field;
use crate::integrations::ca_certificate;
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::providers::{ProviderError, standard_webhooks};

static FIELDS: [Field; 1 + fields::TRIGGERS] = fields::with_triggers([ca_certificate::FIELD]);

static PEER: Peer = Peer {
    who: "the webhook's receiver",
    bad_request: "The webhook's receiver rejected this message. Check that \
                  it expects Strongroom's JSON, and not another service's.",
    unauthorized: "The webhook's receiver refused the message as not authorised. Check the address, and that the \
                   signing secret is the same on both sides.",
    forbidden: "The webhook's receiver refused the message. Check the address, and that the signing secret is the \
                same on both sides.",
    not_found: "Nothing accepts messages at the webhook's address. Check it at the receiver, and edit the credential.",
};

pub static WEBHOOK: Spec = Spec {
    slug: "webhook_channel",
    label: "Webhook",
    fields: &FIELDS,
    uses: &[Use::main(&["webhook"])],
    host: Host::OfCredential,
    suits: suits_all,
    grants: no_grants,
    check: None,
    does: Does::Channel(&Channel::service(100, &PEER, send)),
};

fn send<'a>(cx: &'a Context<'a>, dispatch: Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, Failure>> {
    Box::pin(async move {
        let payload: Payload = call::payload(cx, &PEER)?;
        let body = wire::message(dispatch.message, cx.name);
        let mut request = call::json(Method::POST, target(&payload, &PEER)?, &body);
        let key = payload.signing_key();
        let signed = standard_webhooks::sign(&mut request, dispatch.message.id, key.as_ref().map(|key| key.as_slice()));
        signed.map_err(|error| PEER.failed(&error))?;
        // Any success will do: what a receiver of webhooks answers is its own affair.
        Caller::new(cx, ca_certificate::tls(cx.settings), &PEER)?.call(request).await?;
        Ok(Receipt::default())
    })
}

/// The address that the credential is.
pub(super) fn target(payload: &Payload, peer: &Peer) -> Result<Url, Failure> {
    Url::parse(payload.url.expose_secret()).map_err(|_| peer.failed(&ProviderError::InvalidAddress))
}
