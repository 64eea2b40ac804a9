//! The armours of a text (RFC 7468), mended before they are decoded: people paste PEM whose line ends are lost, escaped
//! or doubled, indented as in YAML, and joined without a line end between two. Of every BEGIN comes one section, or the
//! text is refused: nothing that was pasted is lost without a word.

use rustls::pki_types::pem::{PemObject, SectionKind};
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

const DAMAGED: &str = "This is damaged PEM. Copy it whole, with its BEGIN and END lines.";
const UNENDED: &str = "This is damaged PEM: a BEGIN line has no END line of the same kind. Copy it whole.";
const UNREAD: &str = "This is damaged PEM: there is a BEGIN or END line that is not as it should be. Both have five \
                      dashes at each end. Copy the whole again.";
const LOCKED: &str = "The private key is locked with a passphrase. Unlock it first: openssl pkey -in locked.pem.";

/// What else stands in such files, and what to do with it.
const OTHERS: [(&str, &str); 6] = [
    (
        "CERTIFICATE REQUEST",
        "There is a signing request here. Remove it, and paste the certificate that was issued for it.",
    ),
    (
        "NEW CERTIFICATE REQUEST",
        "There is a signing request here. Remove it, and paste the certificate that was issued for it.",
    ),
    (
        "OPENSSH PRIVATE KEY",
        "This is a key in the format of OpenSSH. Turn a copy of it into PEM: ssh-keygen -p -N '' -m PKCS8 -f COPY.",
    ),
    (
        "TRUSTED CERTIFICATE",
        "There is a certificate in OpenSSL's own format here. Turn it into the usual one: openssl x509 -in FILE.",
    ),
    ("PKCS7", "This is PKCS #7. Turn it into PEM: openssl pkcs7 -print_certs -in FILE."),
    ("PUBLIC KEY", "There is a public key here, which is not needed. Remove it."),
];

/// A section, decoded.
pub type Section = (SectionKind, Vec<u8>);

/// All sections of a text, in its order. Text outside of the armours says nothing and is passed over.
pub fn sections(text: &str) -> Result<impl Iterator<Item = Result<Section, String>>, String> {
    let mended = mended(text)?;
    let expected = mended.matches(BEGIN).count();
    let sections: Vec<_> = <Section>::pem_slice_iter(mended.as_bytes()).collect();
    if sections.len() != expected {
        return Err(DAMAGED.to_owned());
    }
    Ok(sections.into_iter().map(|section| section.map_err(|_| DAMAGED.to_owned())))
}

/// The armours alone, each with line ends where they belong.
fn mended(text: &str) -> Result<Zeroizing<String>, String> {
    let mut mended = Zeroizing::new(String::with_capacity(text.len() + 64));
    let mut rest = text;
    while let Some(start) = rest.find(BEGIN) {
        outside(&rest[..start])?;
        let (label, after) = rest[start + BEGIN.len()..].split_once(DASHES).ok_or(DAMAGED)?;
        let end = after.find(END).ok_or(UNENDED)?;
        let body = &after[..end];
        let after = after[end + END.len()..].strip_prefix(label).and_then(|after| after.strip_prefix(DASHES));
        rest = after.filter(|_| !body.contains(BEGIN)).ok_or(UNENDED)?;
        if label.starts_with("ENCRYPTED") || body.contains(",ENCRYPTED") {
            return Err(LOCKED.to_owned());
        }
        if label == "EC PARAMETERS" {
            // The name of the curve, which stands in the key too.
            continue;
        }
        armour(&mut mended, known(label)?, body);
    }
    outside(rest)?;
    Ok(mended)
}

/// The label of a section that is read.
fn known(label: &str) -> Result<&str, String> {
    match label {
        "CERTIFICATE" | "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" => Ok(label),
        // RFC 7468, 5.1: an old name of the same.
        "X509 CERTIFICATE" | "X.509 CERTIFICATE" => Ok("CERTIFICATE"),
        _ => {
            let other = OTHERS.iter().find(|(other, _)| *other == label);
            let unknown = "There is a section here that is neither a certificate nor a private key. Remove it.";
            Err(other.map_or(unknown, |(_, sentence)| sentence).to_owned())
        }
    }
}

/// Refuses what was meant as an armour and is none.
fn outside(text: &str) -> Result<(), String> {
    // With fewer dashes, with those that word processors make, or with none.
    let spoilt = |word: &str| ['-', '–', '—'].iter().any(|dash| text.contains(&format!("{dash}{word} ")));
    let bare = |line: &str| {
        let rest = line.strip_prefix("BEGIN ").or_else(|| line.strip_prefix("END "));
        rest.is_some_and(|label| label == "CERTIFICATE" || label.ends_with("PRIVATE KEY"))
    };
    let is_lost = spoilt("BEGIN") || spoilt("END") || text.lines().any(|line| bare(line.trim()));
    if is_lost { Err(UNREAD.to_owned()) } else { Ok(()) }
}

/// Without blanks, and without line ends that were escaped once or twice.
fn armour(mended: &mut String, label: &str, body: &str) {
    mended.push_str(&format!("{BEGIN}{label}{DASHES}\n"));
    let mut characters = body.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => {
                while characters.next_if_eq(&'\\').is_some() {}
                characters.next_if(|next| matches!(next, 'n' | 'r'));
            }
            c if c.is_whitespace() || c == '\u{feff}' => {}
            c => mended.push(c),
        }
    }
    mended.push_str(&format!("\n{END}{label}{DASHES}\n"));
}
