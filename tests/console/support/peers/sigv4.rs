//! Signature Version 4 from the other side: the signature of a call, computed anew from what came over the line, as
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html> describes it.

use aws_lc_rs::hmac;
use sha2::{Digest, Sha256};

use super::receiver::Call;

/// What a signature says of itself.
pub struct Signed {
    pub key: String,
    pub region: String,
    pub service: String,
    date: String,
    headers: Vec<String>,
    signature: String,
}

impl Signed {
    pub fn read(call: &Call) -> Option<Self> {
        let rest = call.header("authorization")?.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let part = |name: &str| rest.split(", ").find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        let scope: Vec<&str> = part("Credential")?.split('/').collect();
        let [key, date, region, service, "aws4_request"] = scope[..] else { return None };
        Some(Self {
            key: key.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            date: date.to_owned(),
            headers: part("SignedHeaders")?.split(';').map(str::to_owned).collect(),
            signature: part("Signature")?.to_owned(),
        })
    }

    /// Whether the call is signed with that secret, and all that has to be signed is.
    pub fn is_by(&self, secret: &str, call: &Call) -> bool {
        let must = ["host", "x-amz-date", "x-amz-target", "x-amz-security-token", "content-type"];
        let signed = |name: &&str| self.headers.iter().any(|signed| signed == name);
        let all = must.iter().filter(|name| call.header(name).is_some()).all(signed);
        all && self.expected(secret, call).is_some_and(|expected| expected == self.signature)
    }

    fn expected(&self, secret: &str, call: &Call) -> Option<String> {
        let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
        let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
        pairs.sort_unstable();
        let mut headers = String::new();
        for name in &self.headers {
            headers += &format!("{name}:{}\n", call.header(name)?.trim());
        }
        // The path is encoded once more; nothing that AWS's paths consist of but `%` changes by that.
        let canonical = [
            &call.method,
            &path.replace('%', "%25"),
            &pairs.join("&"),
            &headers,
            &self.headers.join(";"),
            &hex::encode(Sha256::digest(&call.body)),
        ]
        .map(String::as_str)
        .join("\n");
        let at = call.header("x-amz-date").filter(|at| at.starts_with(&self.date))?;
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let text = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{}", hex::encode(Sha256::digest(canonical.as_bytes())));
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in [&self.date, &self.region, &self.service, "aws4_request"] {
            key = mac(&key, part);
        }
        Some(hex::encode(mac(&key, &text)))
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}
