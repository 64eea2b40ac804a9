//! ServiceNow: one incident an alert, found again by its correlation ID, with a work note for each reminder, and
//! resolved when the alert closes. What people did to it meanwhile stays.
//! <https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html>

use futures_util::future::BoxFuture;
use reqwest::{Method, Request};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::call::{self, Caller, Peer};
use super::{Channel, Dispatch, Event, Failure, Line, Receipt, Severity, fields, text};
use crate::credentials::basic::Payload;
use crate::form::{Field, Values};
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::integrations::{ca_certificate, service_address};
use crate::providers::egress::Answer;
use crate::providers::{ProviderError, oauth};

static FIELDS: [Field; 7 + fields::TRIGGERS] = fields::with_triggers([
    Field::text("url", "URL")
        .placeholder("https://example.service-now.com")
        .help("The address of the instance.")
        .check(fields::check_address)
        .identity(),
    Field::choice("login", "Login", &[("password", "User name and password"), ("oauth", "OAuth client credentials")]).help(
        "With OAuth the credential's user name is the client ID and its password the client secret of an entry in the \
         instance's application registry.",
    ),
    Field::choice("table", "Table", &[("incident", "Incident"), ("sn_si_incident", "Security incident")]),
    Field::text("assignment_group", "Assignment group").optional().help("Its name or sys_id.").max(80),
    Field::text("caller", "Caller")
        .optional()
        .help("The user name or sys_id of whom incidents are opened for.")
        .max(80),
    Field::text("close_code", "Resolution code")
        .default("Solution provided")
        .help("As the instance has it in its list: older ones have Solved (Permanently).")
        .max(80),
    ca_certificate::FIELD,
]);

static PEER: Peer = Peer {
    who: "ServiceNow",
    bad_request: "ServiceNow rejected the incident. Check the table, and that the resolution code and the group exist \
                  in this instance.",
    unauthorized: "ServiceNow refused the user name or password. Check the credential, and edit it if it has changed.",
    forbidden: "ServiceNow does not let this user write incidents. Give it the role itil, or sn_si.basic for security \
                incidents.",
    not_found: "ServiceNow does not have the table, or hides it from this user. Check the address and the table.",
};

pub static SERVICENOW: Spec = Spec {
    slug: "servicenow",
    label: "ServiceNow",
    fields: &FIELDS,
    uses: &[Use::main(&["basic"])],
    host: Host::Chosen(instance),
    suits: suits_all,
    grants: no_grants,
    check: Some(|cx| call::checked(check(cx))),
    // One incident an alert.
    does: Does::Channel(&Channel::service(1, &PEER, send)),
};

fn instance(settings: &Values) -> Option<Url> {
    service_address(settings.get("url")).ok()
}

fn send<'a>(cx: &'a Context<'a>, dispatch: Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, Failure>> {
    Box::pin(async move {
        let line = call::only_line(&dispatch)?;
        let table = Table::open(cx).await?;
        let known = match &line.reference {
            Some(id) => table.get(id).await?,
            None => None,
        };
        // An attempt whose answer was lost may have made one.
        let look = known.is_none() && (dispatch.repeated || line.event != Event::Raised || line.reference.is_some());
        let known = if look { table.find(line).await? } else { known };
        let reference = match (known, line.event) {
            (None, Event::Closed) => return Ok(Receipt { reference: line.reference.clone() }),
            (None, _) => table.create(line, dispatch.message.test).await?,
            (Some(incident), Event::Closed) => table.resolve(incident, line).await?,
            // The first attempt got as far as this.
            (Some(incident), Event::Raised) if dispatch.repeated && line.reference.is_none() => incident.sys_id,
            (Some(incident), _) => table.note(incident, line).await?,
        };
        Ok(Receipt { reference: Some(reference) })
    })
}

/// Reads one row's id: who may not read the table may not write to it either.
async fn check(cx: &Context<'_>) -> Result<String, Failure> {
    let table = Table::open(cx).await?;
    let mut url = table.base.clone();
    url.query_pairs_mut().append_pair("sysparm_fields", "sys_id").append_pair("sysparm_limit", "1");
    let answer = table.call(call::get(url)).await?;
    let _: Answered<Vec<Value>> = PEER.json(&answer)?;
    Ok("ServiceNow lets this user read the table. Whether it may write shows with a test alert.".to_owned())
}

/// The table of one instance.
struct Table<'a> {
    cx: &'a Context<'a>,
    caller: Caller,
    login: Login,
    base: Url,
}

/// What ServiceNow is shown.
enum Login {
    Password(Payload),
    Token(SecretString),
}

#[derive(Deserialize)]
struct Incident {
    sys_id: String,
    #[serde(default)]
    state: String,
}

#[derive(Deserialize)]
struct Answered<T> {
    result: T,
}

impl<'a> Table<'a> {
    async fn open(cx: &'a Context<'a>) -> Result<Self, Failure> {
        let instance = instance(cx.settings).ok_or_else(|| PEER.failed(&ProviderError::InvalidAddress))?;
        let base = call::below(&instance, &format!("/api/now/table/{}", cx.settings.get("table")), &PEER)?;
        let caller = Caller::new(cx, ca_certificate::tls(cx.settings), &PEER)?;
        let credential = call::payload(cx, &PEER)?;
        let login = match cx.settings.get("login") {
            "oauth" => Login::Token(token(cx, &instance, &credential).await?),
            _ => Login::Password(credential),
        };
        Ok(Self { cx, caller, login, base })
    }

    async fn ask(&self, request: Request) -> Result<Answer, Failure> {
        let request = match &self.login {
            Login::Password(basic) => call::with_password(request, basic)?,
            Login::Token(token) => call::with_token(request, "Bearer", token)?,
        };
        let answer = self.caller.ask(request).await?;
        let said = String::from_utf8_lossy(&answer.body);
        if (200..300).contains(&answer.status) && call::is_page(&answer) && said.contains("hibernat") {
            return Err(Failure::later(
                "The ServiceNow instance is hibernating, as those of developers do. Log in at developer.servicenow.com and \
                 wake it up; Strongroom sends the message then.",
            ));
        }
        Ok(answer)
    }

    async fn call(&self, request: Request) -> Result<Answer, Failure> {
        let answer = self.ask(request).await?;
        if (200..300).contains(&answer.status) { Ok(answer) } else { Err(self.refusal(&answer)) }
    }

    fn refusal(&self, answer: &Answer) -> Failure {
        let wants_token = answer.header("www-authenticate").is_some_and(|scheme| scheme.starts_with("Bearer"));
        let sentence = match (answer.status, &self.login) {
            (401, Login::Token(_)) => {
                if let Some(stored) = self.cx.stored() {
                    self.cx.outside.tokens.forget(stored.credential);
                }
                "ServiceNow doesn't accept the access token that it issued. Check that the OAuth entry has a user with the role \
                 itil."
            }
            (401, Login::Password(_)) if wants_token => {
                "ServiceNow accepts only access tokens from this user, or refused the password. Set Login to OAuth \
                client \
                 credentials, or check the credential."
            }
            _ => return PEER.refusal(answer),
        };
        Failure::never(sentence)
    }

    fn is_security(&self) -> bool {
        self.cx.settings.get("table") == "sn_si_incident"
    }

    async fn get(&self, id: &str) -> Result<Option<Incident>, Failure> {
        if !is_sys_id(id) {
            return Ok(None);
        }
        let mut url = call::below(&self.base, &format!("/{id}"), &PEER)?;
        url.set_query(Some("sysparm_fields=sys_id,state"));
        let answer = self.ask(call::get(url)).await?;
        match answer.status {
            200..=299 => checked(PEER.json::<Answered<Incident>>(&answer)?.result).map(Some),
            // It was deleted.
            404 => Ok(None),
            _ => Err(self.refusal(&answer)),
        }
    }

    async fn find(&self, line: &Line) -> Result<Option<Incident>, Failure> {
        let mut url = self.base.clone();
        let query = format!("correlation_id={}", line.alert);
        url.query_pairs_mut()
            .append_pair("sysparm_query", &query)
            .append_pair("sysparm_fields", "sys_id,state")
            .append_pair("sysparm_limit", "1");
        let answer = self.call(call::get(url)).await?;
        let found: Answered<Vec<Incident>> = PEER.json(&answer)?;
        found.result.into_iter().next().map(checked).transpose()
    }

    async fn create(&self, line: &Line, test: bool) -> Result<String, Failure> {
        let settings = self.cx.settings;
        let mut body = json!({
            "short_description": text::clean(&line.title, 160),
            "description": text::paragraphs(line, test, no_code).chars().take(4000).collect::<String>(),
            "urgency": urgency(line.severity),
            "correlation_id": line.alert,
            "correlation_display": "Strongroom",
        });
        let caller = if self.is_security() { "opened_for" } else { "caller_id" };
        for (field, value) in [("assignment_group", settings.get("assignment_group")), (caller, settings.get("caller"))]
        {
            if !value.is_empty() {
                body[field] = json!(value);
            }
        }
        self.write(Method::POST, self.base.clone(), &body).await
    }

    async fn note(&self, incident: Incident, line: &Line) -> Result<String, Failure> {
        let said = format!("{}: {}", text::word(line.event), text::paragraphs(line, false, no_code));
        let url = call::below(&self.base, &format!("/{}", incident.sys_id), &PEER)?;
        let body = json!({"work_notes": said, "urgency": urgency(line.severity)});
        self.write(Method::PATCH, url, &body).await
    }

    /// Resolves an incident, unless people have resolved, closed or cancelled it.
    async fn resolve(&self, incident: Incident, line: &Line) -> Result<String, Failure> {
        // incident: 6 resolved, 7 closed, 8 cancelled; sn_si_incident: 3 closed, 7 cancelled.
        let (state, ended): (_, &[&str]) =
            if self.is_security() { ("3", &["3", "7"]) } else { ("6", &["6", "7", "8"]) };
        if ended.contains(&incident.state.as_str()) {
            return Ok(incident.sys_id);
        }
        let url = call::below(&self.base, &format!("/{}", incident.sys_id), &PEER)?;
        let notes = no_code(&format!("Strongroom closed the alert: {}", text::clean(&line.title, 300)));
        let body = json!({"state": state, "close_code": self.cx.settings.get("close_code"), "close_notes": notes});
        self.write(Method::PATCH, url, &body).await
    }

    async fn write(&self, method: Method, mut url: Url, body: &Value) -> Result<String, Failure> {
        // Groups and callers are entered by their names.
        url.set_query(Some("sysparm_fields=sys_id,state&sysparm_input_display_value=true"));
        let answer = self.call(call::json(method, url, body)).await?;
        Ok(checked(PEER.json::<Answered<Incident>>(&answer)?.result)?.sys_id)
    }
}

/// An access token of the instance itself, by the client credentials grant.
/// <https://www.servicenow.com/docs/bundle/zurich-platform-security/page/administer/security/concept/client-credentials-grant.html>
async fn token(cx: &Context<'_>, instance: &Url, credential: &Payload) -> Result<SecretString, Failure> {
    let url = call::below(instance, "/oauth_token.do", &PEER)?;
    let client = cx.outside.egress.client(ca_certificate::tls(cx.settings)).map_err(|error| PEER.failed(&error))?;
    let ask = || oauth::client_credentials(&client, url.clone(), &credential.username, &credential.password, PEER.who);
    let token = cx.outside.tokens.kept(cx.stored(), url.as_str(), ask).await;
    token.map(|token| token.secret)
}

/// What becomes part of an address must be what ServiceNow makes.
fn is_sys_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn checked(incident: Incident) -> Result<Incident, Failure> {
    if is_sys_id(&incident.sys_id) { Ok(incident) } else { Err(PEER.not_understood()) }
}

/// 1 high, 2 medium, 3 low.
fn urgency(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "1",
        Severity::Error => "2",
        Severity::Warning | Severity::Info => "3",
    }
}

/// Journal fields show what stands between `[code]` and `[/code]` as HTML.
fn no_code(text: &str) -> String {
    text.replace('[', "(").replace(']', ")")
}
