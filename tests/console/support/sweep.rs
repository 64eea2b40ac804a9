//! The canary sweep: secrets that a test has given to the product, looked for in whatever the product gives out, in
//! every form that a careless line of code could turn them into.
#![allow(dead_code, reason = "each test uses what it needs")]

use std::path::Path;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Bytes of a private key that are looked for: from its middle, since its head is the same in all.
const PIECE: usize = 40;

/// Forty letters and digits that nobody else has.
pub fn canary() -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let bytes = strongroom::vault::random::<40>();
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect()
}

/// What is looked for.
#[derive(Default)]
pub struct Canaries(Vec<(String, Vec<u8>)>);

impl Canaries {
    /// Remembers a secret under the name that a find is reported by.
    pub fn add(&mut self, name: &str, secret: &str) {
        self.0.extend(forms(secret.as_bytes()).into_iter().map(|(form, bytes)| (format!("{name}, {form}"), bytes)));
    }

    /// Remembers the private keys of a text: a line of each as it stands there, and bytes of its DER.
    pub fn add_keys(&mut self, name: &str, text: &str) {
        // In a JSON document the line ends are escaped.
        let text = text.replace("\\n", "\n");
        for block in text.split("PRIVATE KEY-----").skip(1).step_by(2) {
            let lines: Vec<&str> =
                block.lines().map(str::trim).filter(|line| line.len() > 16 && !line.contains('-')).collect();
            let Ok(der) = STANDARD.decode(lines.concat()) else { panic!("{name} holds a key that is none") };
            let line = lines[lines.len() / 2];
            self.0.push((format!("{name}, a line of the key"), line.as_bytes().to_vec()));
            let middle = der.len() / 2 - PIECE / 2;
            let piece = &der[middle..middle + PIECE];
            self.0.extend(forms(piece).into_iter().map(|(form, bytes)| (format!("{name}, the key, {form}"), bytes)));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn sweep(self) -> Sweep {
        let (names, needles): (Vec<_>, Vec<_>) = self.0.into_iter().unzip();
        Sweep { names, automaton: AhoCorasick::new(needles).expect("an automaton"), found: Vec::new(), bytes: 0 }
    }
}

/// Every way a secret is written: (what it is called, bytes).
fn forms(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![
        ("raw", secret.to_vec()),
        // A cut-off secret is one too.
        ("its first half", secret[..secret.len() / 2].to_vec()),
        ("its second half", secret[secret.len() / 2..].to_vec()),
        ("hex", hex::encode(secret).into_bytes()),
        ("HEX", hex::encode_upper(secret).into_bytes()),
    ];
    for before in 0..3 {
        // The characters at the ends depend on the neighbours.
        let padded = [&vec![0; before][..], secret].concat();
        let certain = (before * 8).div_ceil(6)..padded.len() * 8 / 6;
        forms.push(("base64", STANDARD_NO_PAD.encode(&padded)[certain.clone()].into()));
        forms.push(("URL-safe base64", URL_SAFE_NO_PAD.encode(&padded)[certain].into()));
    }
    if let Ok(text) = std::str::from_utf8(secret) {
        let url: String = form_urlencoded::byte_serialize(secret).collect();
        let json = serde_json::to_string(text).expect("a text");
        let html = |entities: [&str; 5]| {
            let escaped = text.replace('&', entities[0]).replace('<', entities[1]).replace('>', entities[2]);
            escaped.replace('"', entities[3]).replace('\'', entities[4]).into_bytes()
        };
        forms.push(("URL-escaped", url.clone().into_bytes()));
        forms.push(("url-escaped", url.to_lowercase().into_bytes()));
        forms.push(("JSON-escaped", json[1..json.len() - 1].into()));
        forms.push(("escaped twice", json[1..json.len() - 1].replace('\\', "\\\\").replace('"', "\\\"").into_bytes()));
        forms.push(("HTML-escaped", html(["&#38;", "&#60;", "&#62;", "&#34;", "&#39;"])));
        forms.push(("HTML-escaped", html(["&amp;", "&lt;", "&gt;", "&quot;", "&#x27;"])));
    }
    forms
}

/// Looks and remembers what it found.
pub struct Sweep {
    names: Vec<String>,
    automaton: AhoCorasick,
    pub found: Vec<String>,
    /// How much it has looked at.
    pub bytes: usize,
}

impl Sweep {
    /// Looks through bytes; `place` says where a find was.
    pub fn look(&mut self, place: &str, bytes: impl AsRef<[u8]>) {
        self.bytes += bytes.as_ref().len();
        for hit in self.automaton.find_iter(bytes.as_ref()) {
            self.found.push(format!("{place}: {}", self.names[hit.pattern()]));
        }
    }

    /// Looks through every file below a directory; returns how many there are.
    pub fn look_below(&mut self, directory: &Path) -> usize {
        let mut files = 0;
        for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                files += self.look_below(&path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                // A socket is no file, and the server removes files while it runs.
                self.look(&path.display().to_string(), bytes);
                files += 1;
            }
        }
        files
    }
}

#[test]
fn the_sweep_finds_a_planted_secret_in_every_form() {
    let secret = format!("{}<&>\"'\\%/+é", canary());
    let mut canaries = Canaries::default();
    canaries.add("planted", &secret);
    canaries.add("another", &canary());
    let mut sweep = canaries.sweep();
    sweep.look("nothing", format!("nothing here but {}", canary()));
    assert_eq!(sweep.found, Vec::<String>::new());
    let json =
        serde_json::json!({"error": &secret, "nested": serde_json::json!({"a": &secret}).to_string()}).to_string();
    let url: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let mut planted = vec![
        secret.clone(),
        secret[..30].to_owned(),
        json,
        url,
        secret.replace('&', "&#38;").replace('<', "&#60;"),
        hex::encode(&secret),
        hex::encode_upper(&secret),
        format!("{:?}", secret),
    ];
    for before in ["", "x", "xy", "user:", "{\"a\":\""] {
        planted.push(STANDARD.encode(format!("{before}{secret}")));
        planted.push(URL_SAFE_NO_PAD.encode(format!("{before}{secret}{secret}")));
    }
    for text in planted {
        sweep.found.clear();
        sweep.look("here", format!("before {text} after"));
        assert!(sweep.found.iter().any(|found| found.starts_with("here: planted")), "{text} was not found");
    }
}
