//! Jira, in the cloud or one's own: an issue an alert, found again by its label, with a comment for each reminder. When
//! the alert closes, the issue gets a comment and goes into a state of the category Done, if its workflow lets it.
//! <https://developer.atlassian.com/cloud/jira/platform/rest/v2/intro/>,
//! <https://docs.atlassian.com/software/jira/docs/api/REST/latest/>

use futures_util::future::BoxFuture;
use reqwest::{Method, Request};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::call::{self, Caller, Peer};
use super::{Channel, Dispatch, Event, Failure, Line, Receipt, fields, text};
use crate::credentials::{api_token, basic};
use crate::form::{Errors, Field, Values};
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants};
use crate::integrations::{ca_certificate, service_address};
use crate::providers::ProviderError;
use crate::providers::egress::Answer;

mod markup;

use markup::neutral;

static FIELDS: [Field; 4 + fields::TRIGGERS] = fields::with_triggers([
    Field::text("url", "URL")
        .placeholder("https://example.atlassian.net")
        .help(
            "The address of the site. Jira Cloud accepts a Basic authentication of an e-mail address and an API \
            token; Jira Data \
             Center one of a user name and a password, or a personal access token as an API token.",
        )
        .check(fields::check_address)
        .identity(),
    Field::text("project", "Project key").placeholder("SEC").max(32).check(project),
    Field::text("issue_type", "Issue type").default("Task").help("Its name, as the project has it.").max(60),
    ca_certificate::FIELD,
]);

static PEER: Peer = Peer {
    who: "Jira",
    bad_request: "Jira rejected the issue. Check the project key and the issue type, and that the project asks for no \
                  further field.",
    unauthorized: "Jira refused the user name or password. In the cloud these are an e-mail address and an API token: \
                   check the credential, and edit it if it has changed.",
    forbidden: "Jira does not let this user do that, or asks it for a captcha. Allow it to create and edit issues of the \
                project, and log in once by a browser.",
    not_found: "Jira does not have the project, or hides it from this user. Check the address and the project key.",
};

pub static JIRA: Spec = Spec {
    slug: "jira",
    label: "Jira",
    fields: &FIELDS,
    uses: &[Use::main(&["basic", "api_token"])],
    host: Host::Chosen(site),
    suits,
    grants: no_grants,
    check: Some(|cx| call::checked(check(cx))),
    // One issue an alert.
    does: Does::Channel(&Channel::service(1, &PEER, send)),
};

fn suits(settings: &Values, kind: &str, _: &Values) -> Result<(), Errors> {
    let cloud = site(settings).is_some_and(|url| is_cloud(&url));
    if cloud && kind == "api_token" {
        let text = "Jira Cloud accepts an API token together with the e-mail address that it belongs to: choose a \
        Basic \
                    authentication with the address as user name and the token as password.";
        return Err(Errors::one("url", text));
    }
    Ok(())
}

fn site(settings: &Values) -> Option<Url> {
    service_address(settings.get("url")).ok()
}

fn send<'a>(cx: &'a Context<'a>, dispatch: Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, Failure>> {
    Box::pin(async move {
        let line = call::only_line(&dispatch)?;
        let site = Site::new(cx)?;
        let known = line.reference.clone().filter(|key| is_key(key));
        // An attempt whose answer was lost may have made one.
        let look = known.is_none() && (dispatch.repeated || line.event != Event::Raised);
        let known = if look { site.find(line).await? } else { known };
        let reference = match (known, line.event) {
            (None, Event::Closed) => return Ok(Receipt { reference: line.reference.clone() }),
            (None, _) => site.create(line, dispatch.message.test).await?,
            (Some(key), Event::Raised) if dispatch.repeated && line.reference.is_none() => key,
            (Some(key), Event::Closed) => site.close(key, line, dispatch).await?,
            (Some(key), _) => {
                let said = format!("{}: {}", text::word(line.event), text::paragraphs(line, false, neutral));
                // It was deleted: what is still open needs another.
                if site.comment(&key, said, dispatch).await? {
                    key
                } else {
                    site.create(line, dispatch.message.test).await?
                }
            }
        };
        Ok(Receipt { reference: Some(reference) })
    })
}

/// Reads the project. <https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-projects/>
async fn check(cx: &Context<'_>) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Found {
        key: String,
    }
    let site = Site::new(cx)?;
    let project = cx.settings.get("project");
    let answer = site.ask(call::get(site.url(&format!("/project/{project}"))?)).await?;
    let found: Found = PEER.json(&site.accepted(answer)?)?;
    if found.key != project {
        return Err(PEER.not_understood());
    }
    Ok(format!("Jira shows this user the project {project}. Whether it may create issues shows with a test alert."))
}

fn project(text: &str) -> Result<String, String> {
    let key = text.trim().to_ascii_uppercase();
    let good = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if key.starts_with(|c: char| c.is_ascii_uppercase()) && key.len() >= 2 && key.chars().all(good) {
        Ok(key)
    } else {
        Err("A project key has two letters or more, such as SEC.".to_owned())
    }
}

/// `SEC-123`
fn is_key(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(project, number)| {
        let word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        !project.is_empty()
            && project.chars().all(word)
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
    })
}

fn is_cloud(url: &Url) -> bool {
    url.host_str().is_some_and(|host| host.ends_with(".atlassian.net"))
}

/// What Jira is shown.
enum Login {
    Password(basic::Payload),
    /// A personal access token of Jira Data Center.
    /// <https://confluence.atlassian.com/enterprise/using-personal-access-tokens-1026032365.html>
    Token(api_token::Payload),
}

struct Site<'a> {
    cx: &'a Context<'a>,
    caller: Caller,
    login: Login,
    base: Url,
}

impl<'a> Site<'a> {
    fn new(cx: &'a Context<'a>) -> Result<Self, Failure> {
        let base = site(cx.settings).ok_or_else(|| PEER.failed(&ProviderError::InvalidAddress))?;
        let base = call::below(&base, "/rest/api/2", &PEER)?;
        let caller = Caller::new(cx, ca_certificate::tls(cx.settings), &PEER)?;
        let login = match cx.main() {
            Some(secret) if secret.kind.slug == "api_token" => Login::Token(call::payload(cx, &PEER)?),
            _ => Login::Password(call::payload(cx, &PEER)?),
        };
        Ok(Self { cx, caller, login, base })
    }

    fn url(&self, path: &str) -> Result<Url, Failure> {
        call::below(&self.base, path, &PEER)
    }

    async fn ask(&self, request: Request) -> Result<Answer, Failure> {
        let request = match &self.login {
            Login::Password(basic) => call::with_password(request, basic)?,
            Login::Token(token) => call::with_token(request, "Bearer", &token.token)?,
        };
        self.caller.ask(request).await
    }

    fn accepted(&self, answer: Answer) -> Result<Answer, Failure> {
        if (200..300).contains(&answer.status) { Ok(answer) } else { Err(self.refusal(&answer)) }
    }

    fn refusal(&self, answer: &Answer) -> Failure {
        let by_token = matches!(self.login, Login::Token(_));
        let said = String::from_utf8_lossy(&answer.body).to_ascii_lowercase();
        let sentence = match answer.status {
            401 if by_token => {
                "Jira refused the personal access token. Check that it has not expired, and edit the credential."
            }
            401 | 403 if !by_token && said.contains("basic auth") => {
                "Jira doesn't accept user names with passwords: basic authentication is switched off there. Create a \
                personal \
                 access token in the user's profile, store it as an API token, and choose that."
            }
            403 if answer.header("x-authentication-denied-reason").is_some() => {
                "Jira asks this user for a captcha after failed logins. Log in once by a browser, then check the credential."
            }
            _ => return PEER.refusal(answer),
        };
        Failure::never(sentence)
    }

    /// The issue with the alert's label. The cloud and one's own server have different searches.
    async fn find(&self, line: &Line) -> Result<Option<String>, Failure> {
        #[derive(Deserialize)]
        struct Found {
            issues: Vec<Issue>,
        }
        let paths = if is_cloud(&self.base) { ["/search/jql", "/search"] } else { ["/search", "/search/jql"] };
        let jql = format!("project = \"{}\" AND labels = \"{}\"", self.cx.settings.get("project"), label(line));
        let mut answer = None;
        for path in paths {
            let mut url = self.url(path)?;
            url.query_pairs_mut().append_pair("jql", &jql).append_pair("fields", "key").append_pair("maxResults", "1");
            let said = self.ask(call::get(url)).await?;
            let elsewhere = matches!(said.status, 404 | 405 | 410);
            answer = Some(said);
            if !elsewhere {
                break;
            }
        }
        let answer = self.accepted(answer.ok_or_else(|| PEER.not_understood())?)?;
        let found: Found = PEER.json(&answer)?;
        found.issues.into_iter().next().map(checked).transpose()
    }

    async fn create(&self, line: &Line, test: bool) -> Result<String, Failure> {
        let settings = self.cx.settings;
        let body = json!({"fields": {
            "project": {"key": settings.get("project")},
            "issuetype": {"name": settings.get("issue_type")},
            "summary": text::clean(&line.title, 250),
            "description": text::paragraphs(line, test, neutral),
            "labels": ["strongroom", label(line)],
        }});
        let answer = self.ask(call::json(Method::POST, self.url("/issue")?, &body)).await?;
        checked(PEER.json::<Issue>(&self.accepted(answer)?)?)
    }

    /// `false` when there is no such issue.
    async fn comment(&self, key: &str, said: String, dispatch: Dispatch<'_>) -> Result<bool, Failure> {
        let url = self.url(&format!("/issue/{key}/comment"))?;
        let mark = format!("Message {}", dispatch.message.id);
        if dispatch.repeated {
            let answer = self.ask(call::get(url.clone())).await?;
            if (200..300).contains(&answer.status) && holds(&PEER.json::<Value>(&answer)?, &mark) {
                return Ok(true);
            }
        }
        let answer = self.ask(call::json(Method::POST, url, &json!({"body": format!("{said}\n\n{mark}")}))).await?;
        if answer.status == 404 {
            return Ok(false);
        }
        self.accepted(answer).map(|_| true)
    }

    async fn close(&self, key: String, line: &Line, dispatch: Dispatch<'_>) -> Result<String, Failure> {
        let said = format!("Closed: {}", neutral(&text::clean(&line.title, 300)));
        if !self.comment(&key, said, dispatch).await? {
            return Ok(key);
        }
        let status = self.ask(call::get(self.url(&format!("/issue/{key}?fields=status"))?)).await?;
        let status: Value = PEER.json(&self.accepted(status)?)?;
        if status["fields"]["status"]["statusCategory"]["key"] == "done" {
            return Ok(key);
        }
        let url = self.url(&format!("/issue/{key}/transitions"))?;
        let ways = self.ask(call::get(url.clone())).await?;
        let ways: Ways = PEER.json(&self.accepted(ways)?)?;
        if let Some(way) = ways.transitions.iter().find(|way| way.to.category.key == "done") {
            let answer = self.ask(call::json(Method::POST, url, &json!({"transition": {"id": way.id}}))).await?;
            // A workflow that asks for more than we can know leaves the issue, with its comment, to people.
            if answer.status != 400 {
                self.accepted(answer)?;
            }
        }
        Ok(key)
    }
}

fn label(line: &Line) -> String {
    format!("strongroom-{}", line.alert)
}

fn holds(comments: &Value, mark: &str) -> bool {
    let all = comments["comments"].as_array();
    all.is_some_and(|all| all.iter().any(|comment| comment["body"].as_str().is_some_and(|body| body.contains(mark))))
}

#[derive(Deserialize)]
struct Issue {
    key: String,
}

/// What becomes part of an address must be what Jira makes.
fn checked(issue: Issue) -> Result<String, Failure> {
    if is_key(&issue.key) { Ok(issue.key) } else { Err(PEER.not_understood()) }
}

#[derive(Deserialize)]
struct Ways {
    transitions: Vec<Way>,
}

#[derive(Deserialize)]
struct Way {
    id: String,
    to: State,
}

#[derive(Deserialize)]
struct State {
    #[serde(rename = "statusCategory")]
    category: Category,
}

#[derive(Deserialize)]
struct Category {
    key: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_project_key_is_a_project_key() {
        assert_eq!(project(" sec ").as_deref(), Ok("SEC"));
        for bad in ["", "S", "1A", "SEC\" OR 1=1", "S C"] {
            assert!(project(bad).is_err(), "{bad}");
        }
        assert!(is_key("SEC-12") && is_key("A_B2-1"));
        for bad in ["SEC", "SEC-", "-1", "SEC-1/../x", "sec-1"] {
            assert!(!is_key(bad), "{bad}");
        }
    }
}
