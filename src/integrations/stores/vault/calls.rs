//! Signing in to Vault, opening a mount, and what a refusal means.

use secrecy::SecretString;

use super::plan::{Plan, address, joined};
use crate::integrations::ca_certificate;
use crate::integrations::context::{Context, Secret};
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides};
use crate::providers::egress::Tls;
use crate::providers::tls_faults::Form;
use crate::providers::vault::{Kv, Login, Server, Session, Version};
use crate::providers::{ProviderError, Sent};

pub(super) const LISTING: Step = Step { label: "Listing entries", doing: "Listing the entries" };
const WHO: &str = "Vault";
/// What to do when the server wants a client certificate.
const CLIENT_CERTIFICATE: &str = "Choose a certificate credential that it trusts.";
pub(super) async fn sign_in(cx: &Context<'_>) -> Result<Session, ProviderError> {
    let address = address(cx.settings).ok_or(ProviderError::InvalidAddress)?;
    let form = Form { client: Some(CLIENT_CERTIFICATE), ..Form::CA_FIELD };
    let mut tls = Tls { form, ..ca_certificate::tls(cx.settings) };
    let Secret { kind, values, .. } = cx.main().ok_or(ProviderError::WrongCredential)?;
    let mount = |usual: &str| match cx.settings.get("login_mount") {
        "" => usual.to_owned(),
        chosen => chosen.to_owned(),
    };
    let login = match kind.slug {
        "api_token" => Login::Token(SecretString::from(values.get("token"))),
        "basic" => Login::AppRole {
            mount: mount("approle"),
            role: values.get("username").to_owned(),
            secret: SecretString::from(values.get("password")),
        },
        "certificate" => {
            tls.ca_certificates.extend(ca_certificate::pasted(values));
            tls.identity = Some(SecretString::from(values.get("certificate")));
            Login::Certificate { mount: mount("cert") }
        }
        _ => return Err(ProviderError::WrongCredential),
    };
    let client = cx.outside.egress.client(tls)?;
    Server { client, address, namespace: cx.settings.get("namespace").to_owned() }.sign_in(login).await
}

/// The cause and the way out. `right` is what the policy has to allow: `list` on a path.
pub(super) fn because(cause: &ProviderError, right: (&str, &str)) -> String {
    match cause {
        ProviderError::Forbidden => {
            format!("Vault denied it. Allow “{}” on {} in the policy of the credential.", right.0, right.1)
        }
        ProviderError::NotFound => "Vault doesn't have it, or it was deleted. Check its name and the mount.".to_owned(),
        ProviderError::NoInterface { .. } => {
            "this mount is not of the key/value engine, or of a version that Strongroom doesn't know. Check Mount."
                .to_owned()
        }
        ProviderError::Unauthorized { sent: Sent::Password } => {
            "Vault refused the role ID or secret ID. Check the credential, whether the secret ID has expired or is \
             used up, and Login mount."
                .to_owned()
        }
        ProviderError::Unauthorized { sent: Sent::Certificate } => {
            "Vault refused the client certificate. Check that a certificate role trusts its issuer, and Login mount."
                .to_owned()
        }
        ProviderError::Unauthorized { .. } => {
            "Vault refused the token. Check that it has not expired, and edit the credential.".to_owned()
        }
        ProviderError::ServerError { status: 503 } => {
            "Vault is sealed or not ready (503). Unseal it, or try again later.".to_owned()
        }
        ProviderError::TooLarge => format!("{} Choose a narrower Path.", cause.sentence(WHO)),
        _ => cause.sentence(WHO),
    }
}

/// Vault as a whole failed at a step.
pub(super) fn of_all(step: Step, cause: ProviderError, plan: &Plan) -> Gap {
    let because = because(&cause, ("read", &plan.read(Version::Two, "*")));
    Gap::new(step, "", cause, because)
}

pub(super) fn of_folder(kv: &Kv<'_>, plan: &Plan, folder: &str, cause: ProviderError) -> Gap {
    let because = because(&cause, ("list", &plan.listed(kv.version, folder)));
    let hides = match folder {
        "" => Hides::Place(plan.mount.clone()),
        _ => Hides::Below { place: plan.mount.clone(), paths: vec![folder.to_owned()] },
    };
    Gap::new(LISTING, joined(&[&plan.mount, folder]), cause, because).hiding(hides)
}

pub(super) async fn open<'a>(session: &'a Session, plan: &Plan) -> Result<Kv<'a>, Gap> {
    let failed = |cause: ProviderError| {
        let said = match cause {
            ProviderError::Forbidden | ProviderError::NotFound => format!(
                "Vault doesn't say what {} is. Check Mount and Namespace, and that the credential's policy allows \
                 something below it; or choose the Engine version.",
                plan.mount
            ),
            _ => because(&cause, ("list", &plan.mount)),
        };
        Gap::new(LISTING, plan.mount.clone(), cause, said)
    };
    Kv::open(session, &plan.mount, plan.version).await.map_err(failed)
}
