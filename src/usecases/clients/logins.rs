//! Logins of clients: made, rotated and ended by operators. A secret that is made here is known now and never again.

use chrono::{DateTime, TimeDelta, Utc};
use zeroize::Zeroizing;

use crate::accounts::{Role, tokens};
use crate::form::{self, Errors, Field, Values};
use crate::integrations::identities::{Aws, Identity, Kubernetes, Oidc, aws, kubernetes, oidc};
use crate::models::client_logins::{self, ClientLogin, Method, NewLogin};
use crate::models::clients::Client;
use crate::models::events::Actor;
use crate::models::trust::Trusted;
use crate::models::{self, ClientId, ClientLoginId, Conn, CredentialId, DbError, clients, credentials};
use crate::services::Services;
use crate::usecases::clients::{may_open, open_further};
use crate::usecases::{Confirmation, Principal, Refusal, confirm, read, write};
use crate::vault::Vault;

/// Most logins of one client.
const MOST: usize = 50;
/// The kinds of credentials that a TokenReview is sent with.
pub const KUBECONFIGS: &[&str] = &["kubeconfig"];

const METHOD: Field = Field::pick("method", "Method").default("token").check(method);
/// Days until a new secret ends.
pub const EXPIRES: Field = Field::choice(
    "expires",
    "Expires",
    &[
        ("7", "In 7 days"),
        ("30", "In 30 days"),
        ("90", "In 90 days"),
        ("180", "In 180 days"),
        ("365", "In 365 days"),
        ("never", "Never"),
    ],
)
.default("90")
.help("An alert warns 30 days, 7 days and 1 day ahead.");
/// The same of an identity. Nothing of it lies in the client, so there is nothing that should end by itself.
const ENDS: Field = Field { name: "ends", ..EXPIRES.default("never") };
/// Ticked by whoever wants a secret that does not end.
pub const FOREVER: Field = Field::checkbox("forever", "This secret must never expire").when("expires", &["never"]);
/// How long the former secret goes on.
pub const OVERLAP: Field = Field::choice(
    "overlap",
    "End the current one",
    &[("0", "At once"), ("1", "In 1 day"), ("7", "In 7 days"), ("30", "In 30 days")],
)
.default("7")
.help("Both work until then, so that the program can change over.");

fn method(word: &str) -> Result<String, String> {
    find(word).map(|method| method.word().to_owned()).ok_or_else(|| "Choose one from the list.".to_owned())
}

fn find(word: &str) -> Option<Method> {
    Method::ALL.iter().copied().find(|method| method.word() == word)
}

/// The method that was chosen, or the first of the list.
pub fn chosen(word: &str) -> Method {
    find(word).unwrap_or(Method::Token)
}

/// The whole form of a method.
pub fn fields(method: Method) -> Vec<Field> {
    let own: &[Field] = match method {
        Method::Token | Method::AppRole => &[],
        Method::Kubernetes => &kubernetes::FIELDS,
        Method::Oidc => &oidc::FIELDS,
        Method::Aws => &aws::FIELDS,
    };
    let mut fields = vec![METHOD];
    fields.extend(own.iter().map(|field| if field.name == kubernetes::CREDENTIAL { field.check(id) } else { *field }));
    match method.has_secret() {
        true => fields.extend([EXPIRES, FOREVER]),
        false => fields.push(ENDS),
    }
    fields
}

fn id(text: &str) -> Result<String, String> {
    text.parse::<CredentialId>().map(|id| id.to_string()).map_err(|_| "Choose one from the list.".to_owned())
}

/// Names of all fields that the form may post, whatever the method.
pub fn field_names() -> Vec<&'static str> {
    Method::ALL.iter().flat_map(|method| fields(*method)).map(|field| field.name).collect()
}

/// A login that was made.
pub struct Made {
    pub id: ClientLoginId,
    pub method: Method,
    /// What the client sends, shown once; `None` for an identity.
    pub secret: Option<Zeroizing<String>>,
    pub client_name: String,
    pub expires_at: Option<DateTime<Utc>>,
}

/// A login as it was entered, after all checks that need no database.
struct Checked {
    method: Method,
    settings: String,
    credential: Option<CredentialId>,
    days: Option<i64>,
}

impl Checked {
    fn new(posted: &Values) -> Result<Self, Errors> {
        let method = chosen(posted.get("method"));
        let values = form::check(&fields(method), posted, None)?;
        let identity = match method {
            Method::Token | Method::AppRole => None,
            Method::Kubernetes => Some(Identity::Kubernetes(Kubernetes::read(&values)?)),
            Method::Oidc => Some(Identity::Oidc(Oidc::read(&values)?)),
            Method::Aws => Some(Identity::Aws(Aws::read(&values)?)),
        };
        Ok(Self {
            method,
            settings: identity.map(|identity| identity.to_json()).unwrap_or_default(),
            credential: values.get(kubernetes::CREDENTIAL).parse().ok(),
            days: days(&values, method.has_secret())?,
        })
    }
}

/// Days until the end; `None`: never, which has to be meant.
fn days(values: &Values, has_secret: bool) -> Result<Option<i64>, Errors> {
    match values.get(if has_secret { EXPIRES.name } else { ENDS.name }) {
        "never" if has_secret && values.get("forever") != "on" => {
            Err(Errors::one("forever", "Tick this, or choose when it expires."))
        }
        "never" => Ok(None),
        days => Ok(Some(days.parse().unwrap_or(90))),
    }
}

/// Adds a login. It asks for the password.
pub async fn create(
    services: &Services,
    principal: &Principal,
    client: ClientId,
    posted: &Values,
    confirmation: &Confirmation<'_>,
) -> Result<Made, Refusal> {
    principal.require(Role::Operator)?;
    let checked = Checked::new(posted).map_err(Refusal::Invalid)?;
    may_open(services, principal, client).await?;
    if let Some(id) = checked.credential {
        check_kubeconfig(services, id).await?;
    }
    confirm(services, principal.visitor(), confirmation).await?;
    make(services, principal, client, checked, None).await
}

/// Only a kubeconfig that is what Strongroom saved.
async fn check_kubeconfig(services: &Services, id: CredentialId) -> Result<(), Refusal> {
    let wrong = || Refusal::Invalid(Errors::one(kubernetes::CREDENTIAL, "Choose one from the list."));
    let find = move |conn: &mut Conn, vault: &Vault| match credentials::find(conn, vault, id) {
        Err(DbError::NotFound) => Ok(None),
        found => found.map(Some),
    };
    let row = read(services, find).await?.ok_or_else(wrong)?.trust()?;
    if KUBECONFIGS.contains(&row.kind.as_str()) { Ok(()) } else { Err(wrong()) }
}

/// A login, and for a rotation the one before, which ends after so many days.
async fn make(
    services: &Services,
    principal: &Principal,
    client: ClientId,
    checked: Checked,
    before: Option<(ClientLoginId, i64)>,
) -> Result<Made, Refusal> {
    let secret = checked.method.has_secret().then(|| Zeroizing::new(tokens::new_token()));
    let hash = secret.as_ref().map(|secret| tokens::hash(secret));
    let method = checked.method;
    let add = move |conn: &mut Conn, vault: &Vault, actor: &_| {
        let row = clients::find(conn, vault, client)?.trust()?;
        let logins = client_logins::of(conn, vault, client)?;
        if logins.len() >= MOST {
            return Ok(None);
        }
        let now = models::clock(conn)?;
        let new = NewLogin {
            method: checked.method,
            secret_hash: hash.clone(),
            settings: &checked.settings,
            credential: checked.credential,
            expires_at: checked.days.map(|days| now + TimeDelta::days(days)),
        };
        let id = client_logins::make(conn, vault, actor, &row, &new)?;
        if let Some(before) = before {
            hand_over(conn, vault, actor, (&row, before), (id, now))?;
        }
        Ok(Some((id, row.name.clone(), new.expires_at)))
    };
    let full = Refusal::Conflict("This client has 50 logins. End one first.");
    let (id, client_name, expires_at) = open_further(services, principal, client, add).await??.ok_or(full)?;
    services.wake.alerts.notify_one();
    let secret = secret.map(|secret| shown(method, id, &secret));
    Ok(Made { id, method, secret, client_name, expires_at })
}

/// Ends the login that another one, made now, takes the place of: at once, or after so many days.
fn hand_over(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (client, (before, days)): (&Trusted<Client>, (ClientLoginId, i64)),
    (id, now): (ClientLoginId, DateTime<Utc>),
) -> Result<(), DbError> {
    match days {
        0 => client_logins::end(conn, vault, actor, client, before),
        days => client_logins::replace(conn, vault, actor, (client, before), (id, now + TimeDelta::days(days))),
    }
}

/// A token says by itself which login it is; beside a secret stands the ID.
fn shown(method: Method, id: ClientLoginId, secret: &str) -> Zeroizing<String> {
    match method {
        Method::Token => Zeroizing::new(format!("srt_{}_{secret}", id.0.simple())),
        _ => Zeroizing::new(secret.to_owned()),
    }
}

/// A login of a client, to be shown; [`DbError::NotFound`] for another client's.
pub async fn of_client(
    services: &Services,
    client: ClientId,
    id: ClientLoginId,
) -> Result<(ClientLogin, String), DbError> {
    let find = move |conn: &mut Conn, vault: &Vault| client_logins::find(conn, vault, id);
    let (login, row) = read(services, find).await?.ok_or(DbError::NotFound)?;
    let (login, row) = (login.into_shown(), row.into_shown());
    if login.client_id == client { Ok((login, row.name)) } else { Err(DbError::NotFound) }
}

/// Makes another secret beside one, which ends after the overlap. It asks for the password.
pub async fn rotate(
    services: &Services,
    principal: &Principal,
    (client, id): (ClientId, ClientLoginId),
    posted: &Values,
    confirmation: &Confirmation<'_>,
) -> Result<Made, Refusal> {
    principal.require(Role::Operator)?;
    let values = form::check(&[EXPIRES, FOREVER, OVERLAP], posted, None).map_err(Refusal::Invalid)?;
    let days = days(&values, true).map_err(Refusal::Invalid)?;
    may_open(services, principal, client).await?;
    confirm(services, principal.visitor(), confirmation).await?;
    let (login, _) = of_client(services, client, id).await?;
    if !login.method.has_secret() {
        return Err(Refusal::Conflict("An identity has no secret to rotate."));
    }
    let overlap = values.get("overlap").parse().unwrap_or(7);
    let checked = Checked { method: login.method, settings: String::new(), credential: None, days };
    make(services, principal, client, checked, Some((id, overlap))).await
}

/// Ends a login at once, with its session tokens.
pub async fn end(
    services: &Services,
    principal: &Principal,
    (client, id): (ClientId, ClientLoginId),
) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let end = move |conn: &mut Conn, vault: &Vault, actor: &_| {
        let row = clients::find(conn, vault, client)?.into_shown();
        client_logins::end(conn, vault, actor, &row, id)
    };
    write(services, principal, end).await?;
    services.wake.alerts.notify_one();
    Ok(())
}
