//! A credential in the vendor's model, and back. Its secrets are never in an answer: a handle stands for each, by which a
//! program that reads and writes the whole keeps what is stored.
//!
//! The vendor has no type for a webhook's address, so such credentials are not listed. `dtr` has no counterpart here.

use serde_json::{Value, json};

use super::answer::Bad;
use super::json::Object;
use crate::credentials::{
    Kind, api_token, aws, azure, basic, certificate, gcp, github_token, gitlab_token, ibm_cloud, kubeconfig, oci,
};
use crate::draft::Shown;
use crate::form::Values;
use crate::models::credential_names::Listed;
use crate::usecases::credentials::upsert::{Upsert, handle};
use crate::vault::Vault;

/// How one kind is written.
struct Written {
    kind: &'static Kind,
    /// The vendor's types; the first is what is written.
    types: &'static [&'static str],
    /// The vendor's member for a secret field: `secret`, `apiToken`.
    secrets: &'static [(&'static str, &'static str)],
    /// The vendor's member for a field that is shown, by its path: `ociCred.tenancyId`.
    texts: &'static [(&'static str, &'static str)],
}

const CA: (&str, &str) = ("caCert", "ca_certificate");
const URL: (&str, &str) = ("url", "server_url");

static WRITTEN: &[Written] = &[
    Written {
        kind: &aws::KIND,
        types: &["aws"],
        secrets: &[("secret", "secret_access_key")],
        texts: &[("accountID", "access_key_id"), ("roleArn", "role_arn")],
    },
    Written {
        kind: &azure::KIND,
        types: &["azure"],
        secrets: &[("secret", "service_key"), ("secret", "certificate")],
        texts: &[
            ("azureSPInfo.clientId", "client_id"),
            ("azureSPInfo.tenantId", "tenant_id"),
            ("azureSPInfo.subscriptionId", "subscription_id"),
        ],
    },
    Written {
        kind: &gcp::KIND,
        types: &["gcp"],
        secrets: &[("secret", "service_account"), ("apiToken", "api_token")],
        texts: &[],
    },
    Written {
        kind: &ibm_cloud::KIND,
        types: &["ibmCloud"],
        secrets: &[("secret", "api_key"), ("apiToken", "api_key")],
        texts: &[("accountGUID", "account_guid")],
    },
    Written { kind: &kubeconfig::KIND, types: &["kubeconfig"], secrets: &[("secret", "kubeconfig")], texts: &[] },
    Written {
        kind: &basic::KIND,
        types: &["basic"],
        secrets: &[("secret", "password")],
        texts: &[("accountID", "username")],
    },
    Written { kind: &api_token::KIND, types: &["apiToken"], secrets: &[("secret", "token")], texts: &[] },
    Written { kind: &certificate::KIND, types: &["certificate"], secrets: &[("secret", "certificate")], texts: &[CA] },
    Written {
        kind: &oci::KIND,
        types: &["oci"],
        secrets: &[("secret", "private_key")],
        texts: &[
            ("accountID", "user_ocid"),
            ("ociCred.tenancyId", "tenancy_ocid"),
            ("ociCred.fingerprint", "fingerprint"),
        ],
    },
    Written {
        kind: &github_token::KIND,
        types: &["githubToken", "githubEnterpriseToken"],
        secrets: &[("secret", "token")],
        texts: &[URL, CA],
    },
    Written { kind: &gitlab_token::KIND, types: &["gitlabToken"], secrets: &[("secret", "token")], texts: &[URL, CA] },
];

/// Slugs of the kinds that the vendor has a type for; `cloud`: only those of clouds.
pub fn listed_kinds(cloud: bool) -> Vec<&'static str> {
    let clouds = [aws::KIND.slug, azure::KIND.slug, gcp::KIND.slug, oci::KIND.slug];
    let slugs = WRITTEN.iter().map(|written| written.kind.slug);
    slugs.filter(|slug| !cloud || clouds.contains(slug)).collect()
}

/// As it is listed.
pub fn written(vault: &Vault, row: &Listed) -> Value {
    let shown = Shown::read(&row.facts);
    let mut out = blank(row);
    let Some(written) = WRITTEN.iter().find(|written| written.kind.slug == row.kind) else { return out };
    let value = |field: &str| shown.values.get(field).map_or("", String::as_str);
    out["type"] = json!(written.types[0]);
    if row.kind == github_token::KIND.slug && !value("server_url").is_empty() {
        out["type"] = json!(written.types[1]);
    }
    for (path, field) in written.texts {
        set(&mut out, path, value(field));
    }
    let mut done = Vec::new();
    for (member, field) in written.secrets {
        if shown.secrets.iter().any(|stored| stored == field) && !done.contains(field) {
            out[*member] = secret(&handle(vault, row.id, row.secret_version, field));
            done.push(*field);
        }
    }
    match value("method") {
        "iam_role" => out["useAWSRole"] = json!(true),
        "managed_identity" => {
            let of_user = value("identity_client_id");
            set(&mut out, "azureSPInfo.clientId", of_user);
            let kind = if of_user.is_empty() { "system-assigned" } else { "user-assigned" };
            set(&mut out, "azureSPInfo.miType", kind);
        }
        _ => {}
    }
    out
}

/// What all have. There is no member `tokens`: its type differs between the vendor's own clients.
fn blank(row: &Listed) -> Value {
    json!({
        "_id": row.name,
        "type": "",
        "description": row.note,
        "owner": row.created_by,
        "created": row.created_at,
        "lastModified": row.edited_at,
        "accountID": "",
        "accountGUID": "",
        "accountName": "",
        "cloudProviderAccountID": "",
        "secret": secret(""),
        "apiToken": secret(""),
        "caCert": "",
        "url": "",
        "skipVerify": false,
        "roleArn": "",
        "useAWSRole": false,
        "useSTSRegionalEndpoint": false,
        "stsEndpoints": [],
        "external": false,
        "global": false,
        "azureSPInfo": {"clientId": "", "tenantId": "", "subscriptionId": "", "miType": ""},
        "ociCred": {"fingerprint": "", "tenancyId": ""},
        "prismaLastModified": 0,
    })
}

fn secret(handle: &str) -> Value {
    json!({"encrypted": handle, "plain": ""})
}

fn set(out: &mut Value, path: &str, text: &str) {
    match path.split_once('.') {
        Some((outer, inner)) => out[outer][inner] = json!(text),
        None => out[path] = json!(text),
    }
}

/// What a program sent, in our own terms.
pub fn read(body: &Value) -> Result<Upsert, Bad> {
    let sent = Object::of(body, "The body")?;
    let name = sent.text("_id")?.unwrap_or_default().to_owned();
    if name.trim().is_empty() {
        return Err(Bad::said("_id must be the name of the credential."));
    }
    if sent.flag("skipVerify")? == Some(true) {
        return Err(Bad::said("skipVerify isn't supported: certificates are always verified. Send the CA as caCert."));
    }
    let kind = sent.text("type")?.unwrap_or_default();
    let written = WRITTEN.iter().find(|written| written.types.contains(&kind)).ok_or_else(|| unknown_type(kind))?;
    let mut given = Values::default();
    if let Some(text) = sent.text("description")? {
        given.set("description", text);
    }
    for (path, field) in written.texts {
        if let Some(text) = text_at(sent, path)? {
            given.set(*field, text);
        }
    }
    method(sent, written.kind, &mut given)?;
    let mut handles = Vec::new();
    for (member, field) in written.secrets {
        if !holds(written.kind, field, &given) {
            continue;
        }
        let Some(secret) = sent.object(member)? else { continue };
        match (secret.text("plain")?.unwrap_or_default(), secret.text("encrypted")?.unwrap_or_default()) {
            ("", "") => {}
            ("", handle) => handles.push((*field, handle.to_owned())),
            (plain, _) => given.set(*field, plain),
        }
    }
    Ok(Upsert { name, kind: written.kind, given, handles })
}

fn unknown_type(kind: &str) -> Bad {
    let types: Vec<&str> = WRITTEN.iter().flat_map(|written| written.types).copied().collect();
    match kind {
        "dtr" => Bad::said("The type dtr isn't supported: use basic."),
        _ => Bad::said(format!("type must be one of {}.", types.join(", "))),
    }
}

fn text_at<'a>(sent: Object<'a>, path: &str) -> Result<Option<&'a str>, Bad> {
    match path.split_once('.') {
        Some((outer, inner)) => sent.object(outer)?.map_or(Ok(None), |object| object.text(inner)),
        None => sent.text(path),
    }
}

/// Whether a credential of this method has that secret: what two methods call by the same member is told apart by it.
fn holds(kind: &Kind, field: &str, given: &Values) -> bool {
    let Some(declared) = kind.fields.iter().find(|declared| declared.name == field) else { return false };
    !given.contains("method") || declared.active(kind.fields, given)
}

/// The subtype, where the vendor tells it by other members.
fn method(sent: Object<'_>, kind: &Kind, given: &mut Values) -> Result<(), Bad> {
    if kind.slug == aws::KIND.slug {
        if let Some(role) = sent.flag("useAWSRole")? {
            given.set("method", if role { "iam_role" } else { "access_key" });
        }
    } else if kind.slug == azure::KIND.slug {
        let Some(info) = sent.object("azureSPInfo")? else {
            given.set("method", "service_key");
            return Ok(());
        };
        let part = |member: &str| Ok::<_, Bad>(info.text(member)?.unwrap_or_default());
        if !part("miType")?.is_empty() {
            given.set("method", "managed_identity");
            given.set("identity_client_id", part("clientId")?);
        } else if !part("clientId")?.is_empty() && !part("tenantId")?.is_empty() {
            given.set("method", "certificate");
        } else {
            given.set("method", "service_key");
        }
    }
    Ok(())
}
