//! The forms in which keys are written: those that are read, and those that are only recognised,
//! with the command that converts each of them.

use std::fmt;

use base64_simd::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::problem::KeyProblem;

/// A form of a key that is recognised but not read. `Display` names the form, and the command that
/// converts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyForm {
    /// A private key that a passphrase protects.
    Encrypted,
    /// `OPENSSH PRIVATE KEY`.
    OpenSsh,
    /// A public key of OpenSSH: `ssh-ed25519 …`.
    OpenSshPublic,
    /// A file of PuTTY.
    Putty,
    /// A certificate, or a request for one.
    Certificate,
    /// A public key where a private one is wanted.
    Public,
    /// A DSA key.
    Dsa,
    /// A key or message of OpenPGP.
    Pgp,
    /// Bytes in DER.
    Der,
    /// The base64 text of a PEM without the lines around it.
    Body,
    /// A JWK.
    Jwk,
    /// The path of a file.
    Path,
    /// Several private keys in one text.
    Several,
    /// A PEM text whose end is missing.
    Cut,
    /// A PEM text of something else.
    Other,
}

impl fmt::Display for KeyForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encrypted => {
                "it is an encrypted private key: decrypt it with `openssl pkcs8 -topk8 -nocrypt \
                 -in key.pem -out plain.pem`"
            }
            Self::OpenSsh => {
                "it is a private key in OpenSSH form: convert it with `ssh-keygen -p -N '' -m PKCS8 \
                 -f key` (for RSA and ECDSA; for Ed25519 make one with `openssl genpkey -algorithm \
                 ed25519 -out key.pem`)"
            }
            Self::OpenSshPublic => {
                "it is a public key in OpenSSH form: convert it with `ssh-keygen -e -m PKCS8 -f \
                 key.pub`"
            }
            Self::Putty => {
                "it is a key of PuTTY: convert it with `puttygen key.ppk -O private-openssh -o key` \
                 and `ssh-keygen -p -N '' -m PKCS8 -f key`"
            }
            Self::Certificate => {
                "it is a certificate, which holds no private key: give the file with the key, \
                 `openssl pkcs12 -in bundle.p12 -nodes -nocerts` prints that of a bundle"
            }
            Self::Public => "it is a public key: give the private one, `-----BEGIN PRIVATE KEY-----`",
            Self::Dsa => {
                "it is a DSA key, which no algorithm of JOSE takes: make one with `openssl genpkey \
                 -algorithm ed25519 -out key.pem`"
            }
            Self::Pgp => {
                "it is an OpenPGP key: make one with `openssl genpkey -algorithm ed25519 -out \
                 key.pem`"
            }
            Self::Der => {
                "it is a key in DER form: convert it with `openssl pkcs8 -topk8 -nocrypt -inform \
                 DER -in key.der -out key.pem`"
            }
            Self::Body => {
                "it is the base64 of a key without the lines around it: put `-----BEGIN PRIVATE \
                 KEY-----` before it and `-----END PRIVATE KEY-----` after it, or convert it with \
                 `base64 -d key.txt | openssl pkcs8 -topk8 -nocrypt -inform DER`"
            }
            Self::Jwk => {
                "it is a JWK: give it to `KeyRing::from_jwk_set` as `{\"keys\":[…]}`"
            }
            Self::Path => "it is the path of a file: give what the file holds",
            Self::Several => "it holds several private keys: give one",
            Self::Cut => "its `-----END …-----` line is missing, or belongs to something else",
            Self::Other => {
                "it is PEM of something that is no key: `openssl pkey -in key.pem` prints a private \
                 key in the form that is read"
            }
        })
    }
}

/// The one block of a PEM text that is read.
pub(super) struct Block {
    /// The label after `BEGIN`.
    pub(super) label: String,
    /// The base64 text.
    body: Zeroizing<String>,
}

impl Block {
    /// Returns the block as RFC 7468 writes it.
    pub(super) fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(self.body.len() * 2 + 128));
        text.push_str("-----BEGIN ");
        text.push_str(&self.label);
        text.push_str("-----\n");
        for (at, c) in self.body.chars().enumerate() {
            text.push(c);
            if at % 64 == 63 {
                text.push('\n');
            }
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str("-----END ");
        text.push_str(&self.label);
        text.push_str("-----\n");
        text
    }

    /// Returns the bytes.
    pub(super) fn der(&self) -> Option<Zeroizing<Vec<u8>>> {
        decoded(&self.body)
    }
}

/// Finds the private key of a PEM text, even if an environment variable or a secret store changed
/// its form: `\n` in place of line ends, line ends that became blanks, quotes around it, the base64
/// of the whole text. Certificates and parameters beside it are skipped.
pub(super) fn private_block(text: &[u8]) -> Result<Block, KeyForm> {
    let mut private = Vec::new();
    let mut first = None;
    for block in blocks(text)? {
        let is_private = block.label.ends_with("PRIVATE KEY");
        first = first.or(Some(form_of_label(&block.label)));
        if is_private {
            private.push(block);
        }
    }
    let Some(block) = private.pop() else {
        return Err(first.unwrap_or(KeyForm::Other));
    };
    if !private.is_empty() {
        return Err(KeyForm::Several);
    }
    match block.label.as_str() {
        "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" => Ok(block),
        label => Err(form_of_label(label)),
    }
}

/// Finds the public key, or the certificate, of a PEM text. Of several it takes the first, since
/// the others of a chain certify the first. A private key beside it is refused.
pub(super) fn public_block(text: &[u8]) -> Result<Block, KeyProblem> {
    let (mut found, mut first) = (None, None);
    for block in blocks(text).map_err(|form| match form {
        KeyForm::Encrypted | KeyForm::OpenSsh | KeyForm::Putty => KeyProblem::Private,
        form => KeyProblem::Form(form),
    })? {
        match block.label.as_str() {
            label if label.ends_with("PRIVATE KEY") => return Err(KeyProblem::Private),
            "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" if found.is_none() => {
                found = Some(block);
            }
            label => first = first.or(Some(form_of_label(label))),
        }
    }
    found.ok_or(KeyProblem::Form(first.unwrap_or(KeyForm::Other)))
}

fn form_of_label(label: &str) -> KeyForm {
    match label {
        "ENCRYPTED PRIVATE KEY" => KeyForm::Encrypted,
        "OPENSSH PRIVATE KEY" => KeyForm::OpenSsh,
        "DSA PRIVATE KEY" => KeyForm::Dsa,
        label if label.ends_with("PUBLIC KEY") => KeyForm::Public,
        label if label.contains("CERTIFICATE") || label == "PKCS7" => KeyForm::Certificate,
        label if label.starts_with("PGP ") => KeyForm::Pgp,
        _ => KeyForm::Other,
    }
}

/// Splits a text into its PEM blocks, at least one.
fn blocks(text: &[u8]) -> Result<Vec<Block>, KeyForm> {
    let Ok(text) = std::str::from_utf8(text) else {
        return Err(if is_der(text) {
            KeyForm::Der
        } else {
            KeyForm::Other
        });
    };
    let text = plain(text);
    if !text.contains(BEGIN) {
        if let Some(inner) = whole_in_base64(&text) {
            return blocks_of(&inner);
        }
        return Err(unread_form(&text));
    }
    blocks_of(&text)
}

fn blocks_of(text: &str) -> Result<Vec<Block>, KeyForm> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let (label, after) = after.split_once("-----").ok_or(KeyForm::Cut)?;
        let end = format!("-----END {label}-----");
        let (body, after) = after.split_once(end.as_str()).ok_or(KeyForm::Cut)?;
        // RFC 1421 headers, as OpenSSL wrote them before PKCS #8.
        if body.contains("ENCRYPTED") {
            return Err(KeyForm::Encrypted);
        }
        let body = body.chars().filter(|c| !c.is_whitespace()).collect();
        blocks.push(Block {
            label: label.to_owned(),
            body: Zeroizing::new(body),
        });
        rest = after;
    }
    Ok(blocks)
}

/// Undoes the changes that variables and their files make to a text of several lines. Quotes and
/// backslashes do not occur in PEM, so they can be removed.
fn plain(text: &str) -> Zeroizing<String> {
    let mut text = text.trim_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
    for quote in ['"', '\'', '`'] {
        if let Some(inner) = text
            .strip_prefix(quote)
            .and_then(|text| text.strip_suffix(quote))
        {
            text = inner.trim();
            break;
        }
    }
    Zeroizing::new(
        text.replace("\\r\\n", "\n")
            .replace("\\n", "\n")
            .replace("\\r", "\n"),
    )
}

/// Reads a PEM text that was encoded as a whole: `base64:…`, or base64 alone.
fn whole_in_base64(text: &str) -> Option<Zeroizing<String>> {
    let bytes = decoded(text.strip_prefix("base64:").unwrap_or(text))?;
    let inner = std::str::from_utf8(&bytes).ok()?;
    inner.contains(BEGIN).then(|| plain(inner))
}

/// Returns the form of a text without `-----BEGIN`.
fn unread_form(text: &str) -> KeyForm {
    let ends_like_a_file = || {
        std::path::Path::new(text)
            .extension()
            .is_some_and(|ending| {
                ["pem", "key", "der", "p8", "crt", "json"]
                    .iter()
                    .any(|known| ending.eq_ignore_ascii_case(known))
            })
    };
    if text.starts_with('{') || text.starts_with('[') {
        KeyForm::Jwk
    } else if text.starts_with("PuTTY-User-Key-File") {
        KeyForm::Putty
    } else if SSH_NAMES.iter().any(|name| text.starts_with(name))
        || text.starts_with("---- BEGIN SSH2")
    {
        KeyForm::OpenSshPublic
    } else if decoded(text).is_some_and(|bytes| is_der(&bytes)) {
        KeyForm::Body
    } else if decoded(text).is_some_and(|bytes| bytes.starts_with(OPENSSH_MAGIC)) {
        KeyForm::OpenSsh
    } else if text.len() < 4096
        && !text.contains(char::is_whitespace)
        && (text.starts_with(['/', '.', '~']) || ends_like_a_file())
    {
        KeyForm::Path
    } else {
        KeyForm::Other
    }
}

/// Returns the form in which bytes are a private or public key, which others may know; the message
/// that refuses them as a secret names it. A key in base64 or hexadecimal digits is found too,
/// through several layers of encoding.
pub(super) fn key_form(bytes: &[u8]) -> Option<&'static str> {
    key_form_within(bytes, MAX_LAYERS)
}

fn key_form_within(bytes: &[u8], layers: u8) -> Option<&'static str> {
    // Byte order marks, UTF-16's zero bytes, white space and the backslashes of a quoted text must
    // not hide a key (CVE-2026-34950).
    let text: Zeroizing<Vec<u8>> = Zeroizing::new(
        bytes
            .iter()
            .copied()
            .filter(|b| {
                !matches!(b, 0 | 0xEF | 0xBB | 0xBF | 0xFE | 0xFF | b'\\')
                    && !b.is_ascii_whitespace()
            })
            .collect(),
    );
    let contains = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
    if contains(b"openssh-key-v1") || contains(b"BEGINOPENSSH") {
        return Some("OpenSSH");
    }
    if contains(b"----BEGIN") {
        return Some("PEM");
    }
    if [&b"\"kty\""[..], b"\"keys\"", b"'kty'"]
        .iter()
        .any(|part| contains(part))
    {
        return Some("JWK");
    }
    if SSH_NAMES.iter().any(|name| contains(name.as_bytes())) {
        return Some("OpenSSH");
    }
    if contains(b"PuTTY-User-Key-File") {
        return Some("PuTTY");
    }
    if is_der(bytes) {
        return Some("DER");
    }
    let layers = layers.checked_sub(1)?;
    let text = std::str::from_utf8(&text).ok()?;
    let text = text.trim_matches(['"', '\'', '`', ',']);
    let text = text.strip_prefix("base64:").unwrap_or(text);
    let text = text.strip_prefix("hex:").unwrap_or(text);
    crate::secret::unhex(text)
        .map(Zeroizing::new)
        .into_iter()
        .chain(decoded(text))
        .find_map(|inner| key_form_within(&inner, layers))
}

/// Decodes base64 of any alphabet, padded or not, with or without white space.
fn decoded(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text: Zeroizing<String> =
        Zeroizing::new(text.chars().filter(|c| !c.is_whitespace()).collect());
    if text.is_empty() {
        return None;
    }
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|encoding| encoding.decode_to_vec(text.as_bytes()).ok())
        .map(Zeroizing::new)
}

/// Returns whether the bytes are exactly one DER SEQUENCE that starts as keys and certificates do:
/// with a SEQUENCE or an INTEGER.
fn is_der(bytes: &[u8]) -> bool {
    let (len, rest) = match bytes {
        [0x30, len @ 0..=0x7F, rest @ ..] | [0x30, 0x81, len, rest @ ..] => {
            (usize::from(*len), rest)
        }
        [0x30, 0x82, high, low, rest @ ..] => (usize::from(*high) << 8 | usize::from(*low), rest),
        _ => return false,
    };
    rest.len() == len && matches!(rest, [0x30 | 0x02, ..])
}

const BEGIN: &str = "-----BEGIN ";
const OPENSSH_MAGIC: &[u8] = b"openssh-key-v1\0";
/// The prefixes of the names of key types in OpenSSH.
const SSH_NAMES: [&str; 5] = [
    "ssh-rsa",
    "ssh-ed25519",
    "ssh-dss",
    "ecdsa-sha2-",
    "sk-ssh-",
];
/// The number of encodings around a key that are removed, at most.
const MAX_LAYERS: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";

    fn pem() -> String {
        format!("-----BEGIN PRIVATE KEY-----\n{BODY}\n-----END PRIVATE KEY-----\n")
    }

    /// The changes that `.env` files, Docker, Helm and secret stores make to a PEM text.
    #[test]
    fn a_private_key_is_found_in_every_disguise() {
        let pem = pem();
        let base64 = STANDARD.encode_to_string(&pem);
        for text in [
            pem.clone(),
            pem.trim().to_owned(),
            pem.replace('\n', "\r\n"),
            pem.replace('\n', "\\n"),
            pem.replace('\n', "\\r\\n"),
            pem.replace('\n', " "),
            pem.replace('\n', "\n    "),
            format!("\u{feff}{pem}"),
            format!("\"{pem}\""),
            format!("'{}'", pem.replace('\n', "\\n")),
            format!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{pem}"),
            format!("-----BEGIN EC PARAMETERS-----\nBg==\n-----END EC PARAMETERS-----\n{pem}"),
            base64.clone(),
            format!("base64:{base64}"),
            format!("\"{base64}\""),
            base64.trim_end_matches('=').to_owned(),
            STANDARD.encode_to_string(pem.replace('\n', "\\n")),
        ] {
            let block =
                private_block(text.as_bytes()).unwrap_or_else(|form| panic!("{form}: {text}"));
            assert_eq!(block.text().as_str(), pem, "{text}");
        }
    }

    #[test]
    fn each_other_form_is_named() {
        let block =
            |label: &str| format!("-----BEGIN {label}-----\n{BODY}\n-----END {label}-----\n");
        for (text, form) in [
            (block("ENCRYPTED PRIVATE KEY"), KeyForm::Encrypted),
            (
                block("RSA PRIVATE KEY").replace(
                    BODY,
                    &format!("Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n{BODY}"),
                ),
                KeyForm::Encrypted,
            ),
            (block("OPENSSH PRIVATE KEY"), KeyForm::OpenSsh),
            (block("DSA PRIVATE KEY"), KeyForm::Dsa),
            (block("CERTIFICATE"), KeyForm::Certificate),
            (block("CERTIFICATE REQUEST"), KeyForm::Certificate),
            (block("PUBLIC KEY"), KeyForm::Public),
            (block("PGP PRIVATE KEY BLOCK"), KeyForm::Pgp),
            (block("DH PARAMETERS"), KeyForm::Other),
            (pem() + &pem(), KeyForm::Several),
            (pem().replace("END", "FIN"), KeyForm::Cut),
            (BODY.to_owned(), KeyForm::Body),
            ("{\"kty\":\"OKP\"}".to_owned(), KeyForm::Jwk),
            ("/run/secrets/key".to_owned(), KeyForm::Path),
            ("key.pem".to_owned(), KeyForm::Path),
            (
                "ssh-ed25519 AAAAC3Nz me@host".to_owned(),
                KeyForm::OpenSshPublic,
            ),
            ("PuTTY-User-Key-File-3: ssh-rsa".to_owned(), KeyForm::Putty),
            ("hunter2".to_owned(), KeyForm::Other),
            (String::new(), KeyForm::Other),
        ] {
            assert_eq!(private_block(text.as_bytes()).err(), Some(form), "{text}");
        }
        let der = STANDARD.decode_to_vec(BODY).unwrap();
        assert_eq!(private_block(&der).err(), Some(KeyForm::Der));
    }
}
