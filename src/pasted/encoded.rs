//! Base64, and what is in it: a document that should be decoded first, or a binary file that has to become PEM.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::Wanted;

/// What base64 turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoded {
    Json,
    Yaml,
    Pem,
    /// `.pfx` or `.p12` (RFC 7292).
    Pkcs12,
    /// A certificate or key without its armour.
    Der,
    /// A Java key store.
    KeyStore,
    /// Text in another encoding than UTF-8: the number of the first line that shows it.
    OtherText(usize),
    /// Neither text nor any of these.
    Binary,
}

/// Shortest text that is taken for base64 of something, in characters.
const SHORTEST: usize = 40;

/// What a text is in base64, if it is.
pub fn of(text: &str) -> Option<Encoded> {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=');
    if text.len() < SHORTEST || !text.chars().all(|c| is_base64(c) || c.is_ascii_whitespace()) {
        return None;
    }
    let bare: Zeroizing<String> = Zeroizing::new(text.chars().filter(|c| !c.is_ascii_whitespace()).collect());
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let decode = |alphabet| GeneralPurpose::new(alphabet, config).decode(bare.as_bytes()).ok();
    let decoded = Zeroizing::new(decode(&STANDARD).or_else(|| decode(&URL_SAFE))?);
    match std::str::from_utf8(&decoded) {
        Ok(text) => of_text(text.trim_start_matches('\u{feff}').trim()),
        Err(_) => Some(of_bytes(&decoded)).filter(|found| *found != Encoded::Binary || is_base64_of_bytes(text)),
    }
}

/// Whether a text whose characters all are of base64 really is that. Words are of these letters too, but have spaces
/// between them, or are all small or all large.
fn is_base64_of_bytes(text: &str) -> bool {
    !text.trim().contains([' ', '\t']) && super::secrets::is_mixed(text)
}

fn of_text(text: &str) -> Option<Encoded> {
    let is_member = |line: &str| line.split_once(':').is_some_and(|(name, _)| !name.contains(char::is_whitespace));
    // First what may hold PEM: the JSON of a service account, a kubeconfig.
    if text.starts_with('{') {
        Some(Encoded::Json)
    } else if text.starts_with("apiVersion:") {
        Some(Encoded::Yaml)
    } else if text.contains("-----BEGIN ") {
        Some(Encoded::Pem)
    } else if text.lines().next().is_some_and(|line| line.starts_with("---") || is_member(line)) {
        Some(Encoded::Yaml)
    } else {
        None
    }
}

/// By the first bytes of each format.
fn of_bytes(bytes: &[u8]) -> Encoded {
    if bytes.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) || bytes.starts_with(&[0xce, 0xce, 0xce, 0xce]) {
        return Encoded::KeyStore;
    }
    // A SEQUENCE (ASN.1), with its length in one to five bytes.
    let (Some(0x30), Some(length)) = (bytes.first(), bytes.get(1)) else { return of_other_text(bytes) };
    let content = if *length & 0x80 == 0 { 2 } else { 2 + usize::from(length & 0x7f) };
    match bytes.get(content..content + 3) {
        // PFX, version 3.
        Some([0x02, 0x01, 0x03]) => Encoded::Pkcs12,
        Some([0x30 | 0x02, ..]) => Encoded::Der,
        _ => of_other_text(bytes),
    }
}

/// Text of one byte a character (ISO 8859, Windows-1252): nearly all of it is ASCII, and nothing in it controls.
fn of_other_text(bytes: &[u8]) -> Encoded {
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
    let ascii = bytes.iter().filter(|byte| byte.is_ascii()).count();
    if !bytes.iter().all(is_text) || ascii * 10 < bytes.len() * 9 {
        return Encoded::Binary;
    }
    let utf8 = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    Encoded::OtherText(bytes[..utf8].iter().filter(|byte| **byte == b'\n').count() + 1)
}

impl Encoded {
    /// What it is, and the way out.
    pub fn sentence(self, wanted: Wanted) -> String {
        let what = match self {
            Self::Json | Self::Yaml if wanted == Wanted::Kubeconfig => "a kubeconfig",
            Self::Json => "JSON",
            Self::Yaml => "YAML",
            Self::Pem => "PEM",
            Self::Pkcs12 => {
                return "This is PKCS #12 (.pfx or .p12), which Strongroom does not read. Turn it into PEM, and paste what \
                        that prints: openssl pkcs12 -in FILE -nodes."
                    .to_owned();
            }
            Self::Der => {
                return "This has no BEGIN and END lines, or is a binary file (DER). Copy the PEM whole, with these lines, \
                        or make it: openssl x509 -inform der -in FILE, for a key openssl pkey -inform der -in FILE."
                    .to_owned();
            }
            Self::KeyStore => {
                return "This is a Java key store, which Strongroom does not read. Turn it into PKCS #12 with keytool \
                        -importkeystore, then into PEM: openssl pkcs12 -in FILE -nodes."
                    .to_owned();
            }
            Self::OtherText(line) => {
                return format!(
                    "Line {line} of this text has a character in another encoding than UTF-8. Save the file in UTF-8, and \
                     choose it again."
                );
            }
            Self::Binary => {
                return "This is a binary file, or base64 of one. Choose the text file that this field asks for."
                    .to_owned();
            }
        };
        format!("This is {what} in base64. Decode it first, and paste what that prints: base64 -d FILE.")
    }
}
