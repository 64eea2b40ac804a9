//! The files and lines that people paste, told apart by what each has and no other. Nothing here parses: the text may
//! be damaged, and its strict parser says so afterwards.

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    PrivateKey,
    Certificate,
    /// `accessKeys.csv` of the IAM console.
    AwsCsv,
    /// What `aws iam create-access-key` prints.
    AwsJson,
    /// `~/.aws/credentials`, or the variables of the same names.
    AwsIni,
    /// `apikey.json` of IBM Cloud.
    Ibm,
    /// The JSON key of a Google service account.
    Google,
    /// The JSON of `az ad sp create-for-rbac`.
    Azure,
    /// The same in another of the Azure CLI's formats.
    AzureTable,
    Kubeconfig,
    KubernetesSecret,
    /// `~/.oci/config`.
    OciConfig,
    /// Docker's `config.json`.
    Docker,
    /// `KEY=value`.
    Variable,
    /// GitLab's deploy token.
    DeployToken,
    /// Written by a tool in place of a secret.
    Hidden,
    /// In quotation marks.
    Quoted,
    /// With the header's name or scheme before it.
    Header,
    /// A token that its prefix gives away.
    Token,
}

use Shape::{
    AwsCsv, AwsIni, AwsJson, Azure, AzureTable, Certificate, DeployToken, Docker, Google, Header, Hidden, Ibm,
    Kubeconfig, KubernetesSecret, OciConfig, PrivateKey, Quoted, Token, Variable,
};

impl Shape {
    /// The shape of a text without blanks around it.
    pub fn of(text: &str) -> Option<Self> {
        let has = |word: &str| text.contains(word);
        let all = |words: &[&str]| words.iter().all(|word| text.contains(word));
        let lower = zeroize::Zeroizing::new(text.get(..4096.min(text.len())).unwrap_or(text).to_ascii_lowercase());
        let json = text.starts_with('{');
        Some(match () {
            () if is_hidden(text) => Hidden,
            () if json && all(&["\"auths\"", "\"auth\""]) => Docker,
            () if json && has("\"apikey\"") => Ibm,
            () if json && all(&["\"AccessKeyId\"", "\"SecretAccessKey\""]) => AwsJson,
            () if json && is_service_account(text) => Google,
            () if json && (all(&["\"clientId\"", "\"tenantId\""]) || all(&["\"appId\"", "\"tenant\""])) => Azure,
            () if is_kind(text, "Secret") => KubernetesSecret,
            () if is_kind(text, "Config") || has("\nclusters:") || text.starts_with("clusters:") => Kubeconfig,
            () if lower.starts_with("access key id,") || lower.starts_with("user name,access key id,") => AwsCsv,
            () if lower.contains("aws_access_key_id") || lower.contains("aws_secret_access_key") => AwsIni,
            () if all(&["fingerprint=", "tenancy=ocid1."]) => OciConfig,
            () if is_azure_table(&lower) => AzureTable,
            () if has("-----BEGIN") && has("PRIVATE KEY-----") => PrivateKey,
            () if has("-----BEGIN CERTIFICATE-----") => Certificate,
            () if is_variable(text) => Variable,
            () if text.starts_with("gldt-") => DeployToken,
            () if is_quoted(text) => Quoted,
            () if is_header(&lower) => Header,
            () if super::prefixes::has_known_prefix(text) => Token,
            () => return None,
        })
    }

    /// Whether a text of this shape is or holds a secret. A variable may: its field decides.
    pub fn is_secret(self) -> bool {
        !matches!(self, Certificate | Hidden | Quoted | Header | Variable | OciConfig)
    }

    /// Whether the sentence leaves it to the field to say what goes into it.
    pub fn belongs_elsewhere(self) -> bool {
        matches!(self, PrivateKey | Certificate | Google | Azure | Kubeconfig | Token)
    }

    /// What it is, and the way out.
    pub fn sentence(self) -> &'static str {
        match self {
            PrivateKey => "This is a private key.",
            Certificate => "This is a certificate.",
            AwsCsv => {
                "This is the CSV file of an AWS access key. Enter the access key ID and the secret access key in a field \
                 each: the comma separates them."
            }
            AwsJson => {
                "This is what aws iam create-access-key printed. Enter the values of AccessKeyId and SecretAccessKey in a \
                 field each."
            }
            AwsIni => {
                "These are lines of an AWS credentials file. Enter the access key ID and the secret access key in a field \
                 each."
            }
            Ibm => {
                "This is IBM Cloud's apikey.json. Enter only the value of its member apikey, without quotation marks."
            }
            Google => "This is the JSON key of a Google service account, for a credential of the type Google Cloud.",
            Azure => "This is an Azure service key, for a credential of the type Azure.",
            AzureTable => {
                "This is the Azure CLI's output as a table or YAML. Run the command again with --output json, and paste \
                 the JSON."
            }
            Kubeconfig => "This is a kubeconfig, for a credential of that type.",
            KubernetesSecret => {
                "This is a Kubernetes Secret, whose values are in base64. Paste the decoded value of the one that belongs \
                 here: kubectl get secret NAME --output 'jsonpath={.data.KEY}' | base64 -d."
            }
            OciConfig => {
                "This is Oracle's configuration file. Enter the values of user, tenancy, fingerprint and region in a field \
                 each, and the key file under Private key."
            }
            Docker => {
                "This is Docker's config.json. Its member auth is a user name and a password in base64, with a colon \
                 between them: decode it, and add the two as a credential of the type Basic authentication."
            }
            Variable => "This is a line KEY=value. Enter only what stands behind the = sign, without quotation marks.",
            DeployToken => {
                "This is a GitLab deploy token, which is a user name and a password: add the two as a credential of the \
                 type Basic authentication."
            }
            Hidden => {
                "A tool has hidden the secret and printed this in its place. Copy the secret itself, as kubectl config \
                 view --raw prints it."
            }
            Quoted => "This is in quotation marks. Enter what stands between them.",
            Header => "This begins with the name or the scheme of a header. Enter only the token that follows it.",
            Token => "This is an access token.",
        }
    }
}

/// Also of a file that was cut off, which has lost its last members.
fn is_service_account(text: &str) -> bool {
    let others = ["\"client_email\"", "\"private_key_id\"", "\"service_account\""];
    text.contains("\"private_key\"") && others.iter().any(|other| text.contains(other))
}

/// Whether a JSON or YAML document is of that kind.
fn is_kind(text: &str, kind: &str) -> bool {
    let bare = |value: &str| value.trim().trim_matches(['"', '\'', ',']) == kind;
    let yaml = text.lines().filter_map(|line| line.strip_prefix("kind:")).any(bare);
    let spaced: String = if text.starts_with('{') {
        text.chars().filter(|c| !c.is_whitespace()).take(200_000).collect()
    } else {
        String::new()
    };
    let spaced = zeroize::Zeroizing::new(spaced);
    yaml || spaced.contains(&format!("\"kind\":\"{kind}\""))
}

fn is_azure_table(lower: &str) -> bool {
    let head = lower.lines().next().unwrap_or_default();
    let table = ["appid", "password", "tenant"].iter().all(|word| head.split_whitespace().any(|part| part == *word));
    let yaml = ["appid:", "password:", "tenant:"].iter().all(|word| lower.lines().any(|line| line.starts_with(word)));
    table || yaml
}

/// `KEY=value`, with or without `export`. A name in capitals alone may be the whole of a key in base64, which ends in
/// the same sign.
fn is_variable(text: &str) -> bool {
    let line = text.strip_prefix("export ").unwrap_or(text);
    let Some((name, value)) = line.split_once('=') else { return false };
    let letters = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let speaks = ["_", "KEY", "TOKEN", "SECRET", "PASSWORD"].iter().any(|word| name.contains(word));
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(letters)
        && speaks
        && !value.trim_start_matches('=').is_empty()
}

fn is_quoted(text: &str) -> bool {
    ['"', '\''].iter().any(|quote| text.len() > 2 && text.starts_with(*quote) && text.ends_with(*quote))
}

fn is_header(lower: &str) -> bool {
    ["bearer ", "authorization:", "private-token:", "token:", "x-vault-token:"]
        .iter()
        .any(|word| lower.starts_with(word))
}

/// What kubectl and others print in place of a secret.
pub fn is_hidden(text: &str) -> bool {
    matches!(
        text,
        "REDACTED" | "DATA+OMITTED" | "DATA OMITTED" | "<redacted>" | "<hidden>" | "[REDACTED]" | "(redacted)"
    ) || (text.len() >= 3 && text.chars().all(|c| matches!(c, '*' | '•' | '●')))
}

/// Whether kubectl has hidden the values of a kubeconfig.
pub fn hides_values(text: &str) -> bool {
    let hidden = |line: &str| {
        let value = line.rsplit_once(':').map_or("", |(_, value)| value);
        is_hidden(value.trim().trim_end_matches(['}', ',']).trim().trim_matches(['"', '\'']))
    };
    text.lines().any(hidden)
}

/// Whether a JSON object has other text before or behind it: a warning of the tool, the line of the shell.
pub fn has_text_around(text: &str) -> bool {
    let (Some(first), Some(last)) = (text.find('{'), text.rfind('}')) else { return false };
    let inside = text.get(first..=last).unwrap_or_default();
    (first > 0 || last + 1 < text.len()) && serde_json::from_str::<serde::de::IgnoredAny>(inside).is_ok()
}
