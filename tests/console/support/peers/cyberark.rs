//! CyberArk's Central Credential Provider: accounts of a safe, for one application that shows a certificate of the
//! peer's own authority.
//! <https://docs.cyberark.com/credential-providers/latest/en/content/ccp/calling-the-web-service-using-rest.htm>

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::certificates::Authority;
use super::receiver::{Call, Receiver, Said, UPSTREAM};

pub const APPLICATION: &str = "Strongroom";
pub const SAFE: &str = "Team Safe";

pub struct CyberArk {
    pub authority: Authority,
    pub receiver: Receiver,
    accounts: Arc<Mutex<Vec<(String, Value)>>>,
}

impl CyberArk {
    pub fn start() -> Self {
        let authority = Authority::new();
        let accounts: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let shared = Arc::clone(&accounts);
        let receiver = Receiver::start_tls(&authority, move |call| answer(call, &shared.lock().unwrap()));
        Self { authority, receiver, accounts }
    }

    pub fn holds(&self, object: &str, user: &str, password: &str) -> &Self {
        let account = json!({"Content": password, "UserName": user, "Address": "db.example.com", "Safe": SAFE,
            "Folder": "Root", "Name": object, "PolicyID": "Postgres", "CreationMethod": "PVWA",
            "PasswordChangeInProcess": "False"});
        self.accounts.lock().unwrap().push((object.to_owned(), account));
        self
    }
}

fn refused(status: u16, code: &str) -> Said {
    Said::json(status, &json!({"ErrorCode": code, "ErrorMsg": UPSTREAM}))
}

fn answer(call: &Call, accounts: &[(String, Value)]) -> Said {
    if call.certificate.is_none() {
        return Said::html(403);
    }
    if call.method != "GET" || call.path() != "/AIMWebService/api/Accounts" || !call.body.is_empty() {
        return Said::html(404);
    }
    // It takes a plus sign for itself.
    if call.target.contains('+') {
        return refused(400, "CASVL010E");
    }
    let wanted = |name: &str| call.query(name).unwrap_or_default();
    if wanted("AppID").is_empty() {
        return refused(400, "AIMWS031E");
    }
    if wanted("AppID") != APPLICATION {
        return refused(403, "APPAP008E");
    }
    if wanted("Safe") != SAFE || !["", "Root"].contains(&wanted("Folder").as_str()) {
        return refused(404, "APPAP004E");
    }
    let found: Vec<&Value> =
        accounts.iter().filter(|(name, _)| *name == wanted("Object")).map(|(_, account)| account).collect();
    match found[..] {
        [] => refused(404, "APPAP004E"),
        [account] if account["UserName"] == "changing" => refused(500, "APPAP282E"),
        [account] => Said::json(200, account),
        _ => refused(400, "APPAP227E"),
    }
}
