//! The token endpoints of Google and IBM, and Oracle's identity service.
//! <https://developers.google.com/identity/protocols/oauth2/service-account>
//! <https://cloud.ibm.com/docs/account?topic=account-iamtoken_from_apikey>
//! <https://docs.oracle.com/en-us/iaas/Content/API/Concepts/signingrequests.htm>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use serde_json::json;

use super::receiver::{Call, Receiver, Said, UPSTREAM};
use super::tokens;

/// The one that the service account below may act for.
pub const MAILBOX: &str = "strongroom@console.example.com";

/// Knows one service account: its address, the id of its key and the public half.
pub fn google(email: &'static str, key_id: &'static str, key: Vec<u8>) -> Receiver {
    Receiver::start(move |call| google_token(call, email, key_id, &key))
}

/// The answer of Google's token endpoint.
pub fn google_token(call: &Call, email: &str, key_id: &str, key: &[u8]) -> Said {
    let refused = |why: &str| {
        let text = format!("{why} {UPSTREAM}");
        Said::json(400, &json!({"error": "invalid_grant", "error_description": text}))
    };
    if (call.method.as_str(), call.path()) != ("POST", "/token") {
        return Said::html(404);
    }
    if call.field("grant_type").as_deref() != Some("urn:ietf:params:oauth:grant-type:jwt-bearer") {
        return Said::json(400, &json!({"error": "unsupported_grant_type", "error_description": UPSTREAM}));
    }
    let assertion = call.field("assertion").unwrap_or_default();
    let Some((header, claims)) = tokens::verified(&assertion, key) else {
        return refused("Invalid JWT Signature.");
    };
    let time = |name: &str| claims[name].as_i64().unwrap_or_default();
    if time("iat") > call.now + 60 || time("exp") <= call.now || time("exp") - time("iat") > 3600 {
        return refused("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.");
    }
    if claims["iss"] != email {
        return refused("Invalid grant: account not found");
    }
    let mail = claims["scope"] == "https://mail.google.com/";
    if mail && claims["sub"] != MAILBOX {
        return Said::json(401, &json!({"error": "unauthorized_client", "error_description": UPSTREAM}));
    }
    let scope = mail || claims["scope"] == "https://www.googleapis.com/auth/cloud-platform";
    if header["kid"] != key_id || claims["aud"] != "https://oauth2.googleapis.com/token" || !scope {
        return refused("Invalid JWT: Failed audience check.");
    }
    let token = format!("ya29.{}{}", if mail { "mail." } else { "" }, call.now);
    Said::json(200, &json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"}))
}

/// Knows one API key, of one account.
pub fn ibm(api_key: &'static str, account: &'static str) -> Receiver {
    Receiver::start(move |call| ibm_token(call, api_key, account))
}

/// The answer of IBM's token endpoint.
pub fn ibm_token(call: &Call, api_key: &str, account: &str) -> Said {
    if (call.method.as_str(), call.path()) != ("POST", "/identity/token") {
        return Said::html(404);
    }
    let grant = call.field("grant_type").as_deref() == Some("urn:ibm:params:oauth:grant-type:apikey");
    if !grant || call.field("apikey").as_deref() != Some(api_key) {
        return Said::json(
            400,
            &json!({"errorCode": "BXNIM0415E", "errorMessage": UPSTREAM,
                "context": {"requestId": "x", "url": "https://iam.cloud.ibm.com"}}),
        );
    }
    let claims = json!({"iam_id": "iam-ServiceId-1", "id": "iam-ServiceId-1", "realmid": "iam",
        "name": "strongroom", "sub_type": "ServiceId", "account": {"valid": true, "bss": account}, "iat": call.now,
        "exp": call.now + 3600});
    Said::json(
        200,
        &json!({"access_token": tokens::issued(&claims), "refresh_token": "not_supported",
            "token_type": "Bearer", "expires_in": 3600, "expiration": call.now + 3600, "scope": "ibm openid"}),
    )
}

/// Knows one key of one user; whether the user may read itself is `allowed`.
pub fn oracle(key_id: String, key: Vec<u8>, allowed: bool) -> Receiver {
    Receiver::start(move |call| {
        if !is_signed(call, &key_id, &key) {
            return Said::json(401, &json!({"code": "NotAuthenticated", "message": UPSTREAM}));
        }
        let user = key_id.split('/').nth(1).unwrap();
        if !allowed || call.path() != format!("/20160918/users/{user}") {
            return Said::json(404, &json!({"code": "NotAuthorizedOrNotFound", "message": UPSTREAM}));
        }
        Said::json(200, &json!({"id": user, "name": "strongroom@example.com", "lifecycleState": "ACTIVE"}))
    })
}

/// draft-cavage-http-signatures-08 as Oracle demands it of a GET: date, request target and host, five minutes of skew.
pub fn is_signed(call: &Call, key_id: &str, key: &[u8]) -> bool {
    let Some(parameters) = call.header("authorization").and_then(|header| header.strip_prefix("Signature ")) else {
        return false;
    };
    let parameter = |name: &str| {
        let found =
            parameters.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"'));
        found.unwrap_or_default()
    };
    let Ok(date) = DateTime::parse_from_rfc2822(call.header("date").unwrap_or_default()) else { return false };
    let names: Vec<&str> = parameter("headers").split(' ').collect();
    let lines = names.iter().map(|name| match *name {
        "(request-target)" => format!("{name}: {} {}", call.method.to_ascii_lowercase(), call.target),
        name => format!("{name}: {}", call.header(name).unwrap_or_default()),
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let signature = STANDARD.decode(parameter("signature")).unwrap_or_default();
    ["date", "(request-target)", "host"].iter().all(|name| names.contains(name))
        && (parameter("version"), parameter("algorithm"), parameter("keyId")) == ("1", "rsa-sha256", key_id)
        && (date.timestamp() - call.now).abs() <= 300
        && tokens::verifies(key, text.as_bytes(), &signature)
}
