//! The strict reader of kubeconfig files (kubernetes.io, "kubeconfig (v1)"): the chosen context is read, every member
//! that is not known is refused there, and all else is dropped. Errors name members, never what stands in them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::issued::Place;
use super::refusals;
use crate::credentials::document::{self, Node};
use crate::credentials::{checks, pem};
use crate::pasted;

/// One cluster and one login.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub struct Kubeconfig {
    /// https address of the API server, no slash at the end; it may have a path.
    pub server: String,
    /// PEM of the authorities that signed the server's certificate; `None` means the public ones.
    pub authority: Option<String>,
    /// Name of the context.
    pub context: String,
    pub namespace: Option<String>,
    pub login: Login,
}

/// A context by its name, and the kubeconfig of it alone or why it cannot be one.
pub type Context = (String, Result<Kubeconfig, String>);

/// How to log in.
pub enum Login {
    Token(SecretString),
    Certificate(pem::Pair),
    /// Both are shown to the server, as kubectl does: what Azure Kubernetes Service gives to administrators.
    CertificateAndToken(pem::Pair, SecretString),
    Basic {
        username: String,
        password: SecretString,
    },
}

impl Login {
    /// The client certificate, if there is one.
    pub fn certificate(&self) -> Option<&pem::Pair> {
        match self {
            Self::Certificate(pair) | Self::CertificateAndToken(pair, _) => Some(pair),
            Self::Token(_) | Self::Basic { .. } => None,
        }
    }

    /// The token, if there is one.
    pub fn token(&self) -> Option<&SecretString> {
        match self {
            Self::Token(token) | Self::CertificateAndToken(_, token) => Some(token),
            Self::Certificate(_) | Self::Basic { .. } => None,
        }
    }
}

impl Kubeconfig {
    /// The current context, or the only one.
    pub fn parse(text: &str) -> Result<Self, String> {
        let root = root(text)?;
        let (context, body) = chosen(&root)?;
        Self::read(&root, context, body)
    }

    /// Every context by its name, each read by itself: one that is refused takes no other with it.
    pub fn contexts(text: &str) -> Result<Vec<Context>, String> {
        let root = root(text)?;
        let entries = root.get("contexts").and_then(Node::list).unwrap_or_default();
        let names = entries.iter().filter_map(|entry| entry.get("name").and_then(Node::text));
        let read = |name: &str| Self::read(&root, name, named(&root, "contexts", "context", name)?);
        Ok(names.map(|name| (name.to_owned(), read(name))).collect())
    }

    fn read(root: &Node, context: &str, body: &Node) -> Result<Self, String> {
        only(body, "the context", &["cluster", "user", "namespace", "extensions"])?;
        let cluster = named(root, "clusters", "cluster", required(body, "context", "cluster")?)?;
        let user = named(root, "users", "user", required(body, "context", "user")?)?;
        // First the login, whose refusal says more about the file than any other mistake in it.
        refusals::user(user)?;
        refusals::cluster(cluster)?;
        let (server, authority) = read_cluster(cluster)?;
        let namespace = optional(body, "context", "namespace")?.map(namespace).transpose()?;
        Ok(Self { server, authority, context: context.to_owned(), namespace, login: read_user(user)? })
    }

    /// The canonical document, with the chosen context alone. JSON, which is YAML too; it parses to the same again.
    pub fn to_json(&self) -> String {
        let mut cluster = json!({ "server": self.server });
        if let Some(authority) = &self.authority {
            cluster["certificate-authority-data"] = json!(STANDARD.encode(authority));
        }
        let mut context = json!({ "cluster": NAME, "user": NAME });
        if let Some(namespace) = &self.namespace {
            context["namespace"] = json!(namespace);
        }
        let mut user = json!({});
        if let Some(pair) = self.login.certificate() {
            user["client-certificate-data"] = json!(STANDARD.encode(pair.chain_pem()));
            user["client-key-data"] = json!(STANDARD.encode(pair.key_pem().as_bytes()));
        }
        if let Some(token) = self.login.token() {
            user["token"] = json!(token.expose_secret());
        }
        if let Login::Basic { username, password } = &self.login {
            user = json!({ "username": username, "password": password.expose_secret() });
        }
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": self.context,
            "contexts": [{ "name": self.context, "context": context }],
            "clusters": [{ "name": NAME, "cluster": cluster }],
            "users": [{ "name": NAME, "user": user }],
        })
        .to_string()
    }
}

/// The cluster of the current context, and whether its user needs a program to log in.
pub(super) fn place(text: &str) -> Result<(Place, bool), String> {
    let root = root(text)?;
    let (_, body) = chosen(&root)?;
    let user = named(&root, "users", "user", required(body, "context", "user")?)?;
    let cluster = named(&root, "clusters", "cluster", required(body, "context", "cluster")?)?;
    refusals::cluster(cluster)?;
    let (server, authority) = read_cluster(cluster)?;
    Ok((Place { server, authority }, refusals::runs(user)))
}

impl TryFrom<String> for Kubeconfig {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&Zeroizing::new(text))
    }
}

fn root(text: &str) -> Result<Node, String> {
    let root = document::yaml(text).map_err(|fault| fault.to_string())?;
    must_be(&root, "kind", "Config")?;
    must_be(&root, "apiVersion", "v1")?;
    only(&root, "the kubeconfig", &TOP)?;
    Ok(root)
}

/// The name that the one cluster and user get in the canonical document.
const NAME: &str = "chosen";

const TOP: [&str; 8] =
    ["apiVersion", "kind", "preferences", "clusters", "contexts", "users", "current-context", "extensions"];

fn only(node: &Node, place: &str, known: &[&str]) -> Result<(), String> {
    if !node.is_map() {
        return Err(format!("In {place} there must be members with names."));
    }
    if node.names().all(|name| known.contains(&name)) {
        return Ok(());
    }
    Err(format!("In {place} there is a member that no kubeconfig has. Known are: {}.", known.join(", ")))
}

fn must_be(root: &Node, name: &str, value: &str) -> Result<(), String> {
    match root.get(name) {
        None => Ok(()),
        Some(node) if node.text() == Some(value) => Ok(()),
        Some(_) => Err(format!("The member {name} must be {value}: this is no kubeconfig.")),
    }
}

/// A text member; an empty one counts as absent, as kubectl sees it.
fn optional<'n>(node: &'n Node, place: &str, name: &str) -> Result<Option<&'n str>, String> {
    match node.get(name) {
        None => Ok(None),
        Some(member) => match member.text() {
            Some(text) => Ok(Some(text).filter(|text| !text.is_empty())),
            None => Err(format!("The member {name} of the {place} must be text.")),
        },
    }
}

fn required<'n>(node: &'n Node, place: &str, name: &str) -> Result<&'n str, String> {
    optional(node, place, name)?.ok_or_else(|| format!("The member {name} of the {place} is missing."))
}

/// The current context, or the only one.
fn chosen(root: &Node) -> Result<(&str, &Node), String> {
    let contexts = root.get("contexts").and_then(Node::list).unwrap_or_default();
    let name = match (optional(root, "kubeconfig", "current-context")?, contexts) {
        (Some(name), _) => name,
        (None, [only]) => required(only, "context", "name")?,
        (None, []) => return Err("The kubeconfig has no contexts. Paste the whole file.".to_owned()),
        (None, _) => {
            return Err(
                "The kubeconfig has several contexts and does not say which is meant. Choose one with kubectl \
                        config use-context NAME, then paste what kubectl config view --minify --flatten --raw prints."
                    .to_owned(),
            );
        }
    };
    if name.chars().count() > 253 || name.chars().any(|c| c.is_control() || c == '\u{feff}') {
        return Err("The name of the current context is too long or has control characters.".to_owned());
    }
    Ok((name, named(root, "contexts", "context", name)?))
}

/// The one entry of that name in a list of `{name, <member>}`.
fn named<'n>(root: &'n Node, list: &str, member: &str, name: &str) -> Result<&'n Node, String> {
    let entries = root.get(list).and_then(Node::list).unwrap_or_default();
    let mut found = entries.iter().filter(|entry| entry.get("name").and_then(Node::text) == Some(name));
    match (found.next(), found.next()) {
        (Some(entry), None) => {
            only(entry, &format!("the entries of {list}"), &["name", member])?;
            entry.get(member).ok_or_else(|| format!("An entry of {list} has no member {member}."))
        }
        (None, _) if member == "context" => {
            Err("The current-context names a context that is not in this kubeconfig. Paste the whole file.".to_owned())
        }
        (None, _) => Err(format!("The context names a {member} that is not in this kubeconfig. Paste the whole file.")),
        (Some(_), Some(_)) => {
            Err(format!("Two entries of {list} have the same name, so it is not clear which is meant."))
        }
    }
}

fn read_cluster(cluster: &Node) -> Result<(String, Option<String>), String> {
    let known = ["server", "certificate-authority-data", "insecure-skip-tls-verify", "proxy-url", "tls-server-name"];
    // The last is what Rancher 2.0 writes. kubectl passes over it.
    let others = ["certificate-authority", "disable-compression", "extensions", "api-version"];
    only(cluster, "the cluster", &[&known[..], &others].concat())?;
    let server = checks::server_url(required(cluster, "cluster", "server")?)
        .map_err(|message| format!("The member server of the cluster: {message}"))?;
    let authority = match data(cluster, "cluster", "certificate-authority-data")? {
        None => None,
        Some(text) => Some(
            pem::authorities(&text)
                .map_err(|cause| format!("The member certificate-authority-data of the cluster: {cause}"))?,
        ),
    };
    Ok((server, authority))
}

fn read_user(user: &Node) -> Result<Login, String> {
    let known = ["token", "client-certificate-data", "client-key-data", "username", "password"];
    only(user, "the user", &[&known[..], &refusals::USER[..], &["extensions"]].concat())?;
    let [token, certificate, key, username, password] =
        known.map(|name| optional(user, "user", name).map(|text| text.is_some()));
    match (token?, certificate?, key?, username?, password?) {
        (true, false, false, false, false) => token_of(user).map(Login::Token),
        (false, true, true, false, false) => certificate_of(user).map(Login::Certificate),
        (true, true, true, false, false) => Ok(Login::CertificateAndToken(certificate_of(user)?, token_of(user)?)),
        (false, false, false, true, true) => Ok(Login::Basic {
            username: checks::username(required(user, "user", "username")?)
                .ok()
                .filter(|name| !name.chars().any(char::is_control))
                .ok_or("The member username of the user has a colon or control characters.")?,
            password: SecretString::from(printable(required(user, "user", "password")?)?.to_owned()),
        }),
        (_, true, false, ..) => Err("The user's client-certificate-data has no client-key-data beside it.".into()),
        (_, false, true, ..) => Err("The user's client-key-data has no client-certificate-data beside it.".into()),
        (false, false, false, true, false) => Err("The user has a username and no password.".to_owned()),
        (false, false, false, false, true) => Err("The user has a password and no username.".to_owned()),
        (false, false, false, false, false) => Err("The user has nothing to log in with. Strongroom accepts a token, \
                                                    client-certificate-data with client-key-data, or username with \
                                                    password. Print them with kubectl config view --minify --flatten \
                                                    --raw."
            .to_owned()),
        _ => Err(
            "The user has several ways to log in. Remove username and password, or all the others: a server knows a \
                  login by one header."
                .to_owned(),
        ),
    }
}

fn token_of(user: &Node) -> Result<SecretString, String> {
    let token = checks::token(required(user, "user", "token")?);
    token.map(SecretString::from).map_err(|cause| format!("The member token of the user: {cause}"))
}

fn certificate_of(user: &Node) -> Result<pem::Pair, String> {
    let mut both = Zeroizing::new(String::new());
    for name in ["client-certificate-data", "client-key-data"] {
        let part = data(user, "user", name)?.unwrap_or_default();
        both.push_str(&part);
        both.push('\n');
    }
    pem::Pair::parse(&both).map_err(|message| format!("The user's client certificate: {message}"))
}

/// A base64 member that holds text.
fn data(node: &Node, place: &str, name: &str) -> Result<Option<Zeroizing<String>>, String> {
    let Some(encoded) = optional(node, place, name)? else { return Ok(None) };
    let encoded: Zeroizing<String> = Zeroizing::new(encoded.chars().filter(|c| !c.is_ascii_whitespace()).collect());
    let decoded = STANDARD.decode(encoded.as_bytes()).map(Zeroizing::new).ok();
    let text = decoded.and_then(|bytes| std::str::from_utf8(&bytes).ok().map(|text| Zeroizing::new(text.to_owned())));
    text.map(Some).ok_or_else(|| format!("The member {name} of the {place} is not PEM in base64."))
}

fn printable(text: &str) -> Result<&str, String> {
    if text.chars().any(char::is_control) {
        return Err("The member password of the user has control characters.".to_owned());
    }
    if pasted::is_hidden(text) {
        return Err("The member password of the user is hidden. Print it with kubectl config view --raw.".to_owned());
    }
    pasted::invisible(text).map_or(Ok(text), |cause| Err(format!("The member password of the user: {cause}")))
}

/// A namespace's name is an RFC 1123 label.
fn namespace(name: &str) -> Result<String, String> {
    let label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.len() <= 63 && name.chars().all(label) && !name.starts_with('-') && !name.ends_with('-') {
        Ok(name.to_owned())
    } else {
        Err("The member namespace of the context is no name of a namespace.".to_owned())
    }
}
