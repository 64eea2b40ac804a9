//! IAM and STS of one account as AWS documents them, for what moto does not do: keys of any age, a root user with keys,
//! pages, throttling, rights one by one. It verifies no signature.
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::scripted::{Reply, Scripted};

#[derive(Clone, Debug)]
pub struct Key {
    pub id: String,
    /// `2019-03-01T10:00:00Z`
    pub made: String,
    pub active: bool,
    /// Moment, service, region.
    pub used: Option<(String, &'static str, &'static str)>,
}

impl Key {
    pub fn new(id: &str, made: &str) -> Self {
        Self { id: id.to_owned(), made: made.to_owned(), active: true, used: None }
    }

    pub fn used(self, at: &str) -> Self {
        Self { used: Some((at.to_owned(), "s3", "eu-central-1")), ..self }
    }
}

pub struct Account {
    pub id: &'static str,
    pub users: Vec<(String, Vec<Key>)>,
    pub root_keys: i32,
    /// The rows of the credential report below its heads; `None`: there is no right to it.
    pub report: Option<String>,
    /// `iam:ListAccessKeys`, or of one user `iam:ListAccessKeys ada`.
    pub denied: Vec<String>,
    /// How often each action still refuses since too much was asked.
    pub throttled: HashMap<&'static str, usize>,
    pub page: usize,
    /// Each page of users names itself as the next one.
    pub endless: bool,
}

pub struct Iam {
    pub peer: Scripted,
    account: Arc<Mutex<Account>>,
    actions: Arc<Mutex<Vec<String>>>,
}

const HEADS: &str = "user,arn,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
                     access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,\
                     access_key_2_last_rotated,access_key_2_last_used_date";

impl Iam {
    pub async fn start() -> Self {
        let account = Arc::new(Mutex::new(Account {
            id: "210987654321",
            users: Vec::new(),
            root_keys: 0,
            report: None,
            denied: Vec::new(),
            throttled: HashMap::new(),
            page: 100,
            endless: false,
        }));
        let actions: Arc<Mutex<Vec<String>>> = Arc::default();
        let (asked, log) = (Arc::clone(&account), Arc::clone(&actions));
        let peer = Scripted::answering(move |body| {
            let form: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
            let action = form.get("Action").cloned().unwrap_or_default();
            log.lock().unwrap().push(action.clone());
            asked.lock().unwrap().answer(&action, &form)
        })
        .await;
        Self { peer, account, actions }
    }

    pub fn url(&self) -> String {
        self.peer.url()
    }

    pub fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap()
    }

    /// What was asked so far.
    pub fn actions(&self) -> Vec<String> {
        self.actions.lock().unwrap().clone()
    }
}

impl Account {
    fn answer(&mut self, action: &str, form: &HashMap<String, String>) -> Reply {
        let parameter = |name: &str| form.get(name).map_or("", String::as_str);
        let named = format!("iam:{action}");
        let of_user = format!("{named} {}", parameter("UserName"));
        if self.denied.iter().any(|denied| *denied == named || *denied == of_user) {
            return refusal(403, "AccessDenied", "not authorized to perform");
        }
        if let Some(left) = self.throttled.get_mut(action).filter(|left| **left > 0) {
            *left -= 1;
            return refusal(400, "Throttling", "Rate exceeded");
        }
        let result = match action {
            "GetCallerIdentity" => {
                format!("<Arn>arn:aws:iam::{0}:user/scanner</Arn><UserId>AIDA</UserId><Account>{0}</Account>", self.id)
            }
            "ListUsers" => self.users(parameter("Marker")),
            "ListAccessKeys" => self.keys(parameter("UserName")),
            "GetAccessKeyLastUsed" => match self.last_use(parameter("AccessKeyId")) {
                Some(text) => text,
                None => return refusal(404, "NoSuchEntity", "no such key"),
            },
            "GetAccountSummary" => format!(
                "<SummaryMap><entry><key>Users</key><value>{}</value></entry><entry>\
                 <key>AccountAccessKeysPresent</key><value>{}</value></entry></SummaryMap>",
                self.users.len(),
                self.root_keys
            ),
            "ListAccountAliases" => {
                "<AccountAliases><member>example-prod</member></AccountAliases><IsTruncated>false</IsTruncated>"
                    .to_owned()
            }
            "GenerateCredentialReport" if self.report.is_some() => "<State>COMPLETE</State>".to_owned(),
            "GetCredentialReport" if self.report.is_some() => {
                let text = format!("{HEADS}\n{}", self.report.clone().unwrap_or_default());
                format!("<Content>{}</Content><ReportFormat>text/csv</ReportFormat>", BASE64_STANDARD.encode(text))
            }
            _ => return refusal(403, "AccessDenied", "not authorized to perform"),
        };
        let body = format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>");
        Reply::status(200).with("Content-Type", "text/xml").body(body)
    }

    fn users(&self, marker: &str) -> String {
        let start: usize = marker.parse().unwrap_or(0);
        let end = (start + self.page).min(self.users.len());
        let members: String = self.users[start.min(end)..end].iter().map(|(name, _)| self.user(name)).collect();
        let next = if self.endless { Some(start) } else { Some(end).filter(|end| *end < self.users.len()) };
        let more = next.map(|next| format!("<Marker>{next}</Marker>")).unwrap_or_default();
        format!("<Users>{members}</Users><IsTruncated>{}</IsTruncated>{more}", next.is_some())
    }

    fn user(&self, name: &str) -> String {
        format!(
            "<member><Path>/</Path><UserName>{name}</UserName><UserId>AIDA</UserId>\
             <Arn>arn:aws:iam::{}:user/{name}</Arn><CreateDate>2018-01-01T00:00:00Z</CreateDate></member>",
            self.id
        )
    }

    fn keys(&self, user: &str) -> String {
        let keys = self.users.iter().find(|(name, _)| name == user).map_or(&[][..], |(_, keys)| keys);
        let member = |key: &Key| {
            format!(
                "<member><UserName>{user}</UserName><AccessKeyId>{}</AccessKeyId><Status>{}</Status>\
                 <CreateDate>{}</CreateDate></member>",
                key.id,
                if key.active { "Active" } else { "Inactive" },
                key.made
            )
        };
        let members: String = keys.iter().map(member).collect();
        format!("<AccessKeyMetadata>{members}</AccessKeyMetadata><IsTruncated>false</IsTruncated>")
    }

    fn last_use(&self, id: &str) -> Option<String> {
        let key = self.users.iter().flat_map(|(_, keys)| keys).find(|key| key.id == id)?;
        let used = match &key.used {
            Some((at, service, region)) => format!(
                "<LastUsedDate>{at}</LastUsedDate><ServiceName>{service}</ServiceName><Region>{region}</Region>"
            ),
            None => "<ServiceName>N/A</ServiceName><Region>N/A</Region>".to_owned(),
        };
        Some(format!("<UserName>x</UserName><AccessKeyLastUsed>{used}</AccessKeyLastUsed>"))
    }
}

fn refusal(status: u16, code: &str, message: &str) -> Reply {
    let text = format!(
        "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    );
    Reply::status(status).with("Content-Type", "text/xml").body(text)
}
