//! *Add credential* on the form of an integration: to the form of a credential, and back to this one with the new
//! credential chosen. What was entered travels in the address, since none of it is a secret.

use actix_web::HttpResponse;

use crate::form::{self, Errors, Values};
use crate::models::{CredentialId, IntegrationId};
use crate::usecases::integrations::draft::{self, Purpose};
use crate::web::page;
use crate::web::params::Params;
use crate::web::posted::Posted;

/// Says that the address holds the whole form: what is not in it is blank.
const WHOLE: &str = "whole";
/// Holds the form's address while a credential is added.
pub const BACK: &str = "for";
/// Longest address that is made, in bytes: servers and proxies cut what is longer than 8 KiB.
const LONGEST: usize = 7_000;

/// To the credential's form. `page` is the form that is left. An error, when what was entered is too long to be kept.
pub fn leave(page: &str, posted: &Posted) -> Result<HttpResponse, Errors> {
    let provider = draft::chosen(posted.get("version"));
    let fields = draft::fields(provider, Purpose::New);
    let kept = fields.iter().map(|field| (field.name, posted.get(field.name))).filter(|(name, value)| {
        *name != "credential" && !value.is_empty() && form::shown_again(&fields, &posted.0, value, false)
    });
    let mut query = form_urlencoded::Serializer::new(String::new());
    let query = query.extend_pairs(kept).append_pair(WHOLE, "1").finish();
    let kind = match provider.credential_kinds() {
        [kind] => kind,
        _ => "",
    };
    let to = Params::default().link("/credentials/new", &[("kind", kind), (BACK, &format!("{page}?{query}"))]);
    if to.len() <= LONGEST {
        return Ok(page::see_other(&to, ""));
    }
    let text = "What is entered here is too long to be kept while you add one. Add it in another tab, and choose the \
                provider here again to see it in the list.";
    Err(Errors::one("credential", text))
}

/// The address of a form to go back to; `None` for anything else, since anybody can write an address.
pub fn back(text: &str) -> Option<&str> {
    let (path, _) = text.split_once('?')?;
    let id = path.strip_prefix("/integrations/").and_then(|rest| rest.strip_suffix("/edit"));
    let known = path == "/integrations/new" || id.is_some_and(|id| id.parse::<IntegrationId>().is_ok());
    (known && text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic())).then_some(text)
}

/// The same with the credential that was added.
pub fn with(back: &str, added: CredentialId) -> String {
    back.replacen('?', &format!("?credential={added}&"), 1)
}

/// Slugs of the kinds of credentials that the form to go back to can use.
pub fn kinds(back: &str) -> &'static [&'static str] {
    let query = back.split_once('?').map_or("", |(_, query)| query);
    let version = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "version");
    version.map_or(&[], |(_, version)| draft::chosen(&version).credential_kinds())
}

/// The form that [`leave`] kept; `None` for an address that holds none.
pub fn whole(params: &Params) -> Option<Values> {
    let given = |name: &&'static str| !params.get(name).is_empty();
    let known = || draft::field_names().into_iter().filter(given);
    given(&WHOLE).then(|| known().map(|name| (name, params.get(name))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_to_go_back_to_is_one_of_an_integration_here() {
        let id = CredentialId::fresh();
        let edit = format!("/integrations/{}/edit?whole=1", IntegrationId::fresh());
        assert_eq!(back(&edit), Some(edit.as_str()));
        assert_eq!(with("/integrations/new?version=ecr", id), format!("/integrations/new?credential={id}&version=ecr"));
        let others = ["//evil.example/?a", "https://evil.example/integrations/new?a", "/integrations/new", "/login?a"];
        let tricks =
            ["/integrations/new?a\r\nSet-Cookie: a=b", "/integrations/../users/edit?a", "/integrations//new?a"];
        assert!(others.into_iter().chain(tricks).all(|text| back(text).is_none()));
        assert_eq!(kinds("/integrations/new?version=ecr&whole=1"), ["aws"]);
    }
}
