//! Many changed tokens, judged by us and by PyJWT, jwcrypto and jose: each difference has a rule.
//!
//! `DIFFERENTIAL=100000` changes that many; without it a few hundred are.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};
use tollgate::clock::Timestamp;
use tollgate::id::{SessionId, TokenId};
use tollgate_tests::support::interop::{SCRIPTS, copied, node, python, skipped};

use crate::claims::UserClaims;
use crate::forge::{AUDIENCE, Forge, ISSUER};
use crate::matrix::ask;

const KEPT: &str = env!("CARGO_TARGET_TMPDIR");
const SECRET: [u8; 64] = {
    let mut secret = [0; 64];
    let mut at = 0;
    while at < 64 {
        secret[at] = (at as u8) * 3;
        at += 1;
    }
    secret
};

/// A source of numbers that is the same in every run (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

/// Makes tokens that differ from a good one.
struct Changer {
    forge: Forge,
    now: u64,
    chance: Chance,
}

impl Changer {
    fn payload(&self) -> Map<String, Value> {
        let now = self.now;
        let claims = json!({
            "iss": ISSUER, "sub": UserClaims::ada().id.to_string(), "aud": AUDIENCE,
            "client_id": "first-party", "exp": now + 600, "iat": now,
            "jti": TokenId::from_bytes([1; 16]), "sid": SessionId::from_bytes([2; 16]),
            "gen": 3, "uep": 4, "auth_time": now - 5, "email": "ada@example.com", "roles": ["admin"],
        });
        claims.as_object().unwrap().clone()
    }

    /// A value that stands where another one should.
    fn value(&mut self) -> String {
        let now = self.now;
        let deep = format!("{}1{}", "[".repeat(20), "]".repeat(20));
        let values = [
            "null".to_owned(),
            "true".to_owned(),
            "0".to_owned(),
            "-1".to_owned(),
            "1.5".to_owned(),
            "1e3".to_owned(),
            "9007199254740993".to_owned(),
            "18446744073709551616".to_owned(),
            "1e400".to_owned(),
            "NaN".to_owned(),
            "\"\"".to_owned(),
            "\"7\"".to_owned(),
            "\"\\u0000\"".to_owned(),
            "\"\\ud800\"".to_owned(),
            "\"a\tb\"".to_owned(),
            "[]".to_owned(),
            "{}".to_owned(),
            "{\"a\":1,\"a\":2}".to_owned(),
            deep,
            (now + 300).to_string(),
            format!("{}.0", now + 300),
            format!("{}.5", now + 300),
            format!("\"{}\"", now + 300),
            (now - 3600).to_string(),
            (now + 3600).to_string(),
            format!("\"{AUDIENCE}\""),
            format!("[\"{AUDIENCE}\"]"),
            format!("[\"other\",\"{AUDIENCE}\"]"),
            format!("[\"{AUDIENCE}\",1]"),
            format!("\"{ISSUER}\""),
            format!("\"{ISSUER}/\""),
            "\"at+jwt\"".to_owned(),
            "\"application/at+jwt\"".to_owned(),
            "\"JWT\"".to_owned(),
            "\"HS512\"".to_owned(),
            "\"none\"".to_owned(),
            "[\"exp\"]".to_owned(),
        ];
        self.chance.of(&values).clone()
    }

    /// The text of an object with one or two changes.
    fn object(&mut self, members: &Map<String, Value>, others: &[&str]) -> String {
        let mut list: Vec<(String, String)> = members
            .iter()
            .map(|(name, value)| (format!("\"{name}\""), value.to_string()))
            .collect();
        for _ in 0..=self.chance.below(2) {
            let at = self.chance.below(list.len());
            match self.chance.below(6) {
                0 => _ = list.remove(at),
                1 | 2 => list[at].1 = self.value(),
                3 => {
                    let name = format!("\"{}\"", self.chance.of(others));
                    let value = self.value();
                    list.insert(at, (name, value));
                }
                4 => {
                    let (name, value) = list[at].clone();
                    let value = if self.chance.below(2) == 0 {
                        value
                    } else {
                        self.value()
                    };
                    let to = self.chance.below(list.len());
                    list.insert(to, (name, value));
                }
                _ => {
                    let to = self.chance.below(list.len());
                    list.swap(at, to);
                }
            }
            if list.is_empty() {
                break;
            }
        }
        let blank = *self.chance.of(&["", "", "", " ", "\n"]);
        let members: Vec<String> = list
            .iter()
            .map(|(name, value)| format!("{name}{blank}:{value}"))
            .collect();
        let text = format!("{blank}{{{}}}{blank}", members.join(","));
        match self.chance.below(24) {
            0 => format!("\u{feff}{text}"),
            1 => format!("{text},"),
            2 => text.replace('"', "'"),
            _ => text,
        }
    }

    fn sign(&self, header: &[u8], payload: &[u8]) -> String {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(payload)
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, &SECRET);
        let mac = hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac))
    }

    fn next(&mut self) -> String {
        let header = self.forge.header();
        let header = header.as_object().unwrap();
        let payload = self.payload();
        let good = self.sign(
            Value::Object(header.clone()).to_string().as_bytes(),
            Value::Object(payload.clone()).to_string().as_bytes(),
        );
        match self.chance.below(8) {
            // A character of the token, which its signature does not know.
            0 | 1 => {
                let mut text: Vec<char> = good.chars().collect();
                let at = self.chance.below(text.len());
                let letter = *self
                    .chance
                    .of(&['A', 'Q', 'g', '_', '-', '=', '.', '+', ' ', 'é']);
                match self.chance.below(4) {
                    0 => text[at] = letter,
                    1 => text.insert(at, letter),
                    2 => _ = text.remove(at),
                    // The last character of the signature has bits that mean nothing.
                    _ => {
                        let last = text.len() - 1;
                        text[last] = *self
                            .chance
                            .of(&['A', 'B', 'C', 'D', 'E', 'F', 'I', 'M', 'w']);
                    }
                }
                text.into_iter().collect()
            }
            2 | 3 => {
                let others = [
                    "crit", "b64", "zip", "jwk", "jku", "x5c", "cty", "KID", "exp",
                ];
                let header = self.object(header, &others);
                let payload = Value::Object(payload).to_string();
                self.sign(header.as_bytes(), payload.as_bytes())
            }
            4 => {
                let mut bytes = Value::Object(payload).to_string().into_bytes();
                let at = self.chance.below(bytes.len());
                bytes[at] = *self
                    .chance
                    .of(&[0, 9, 0x20, 0x22, 0x5C, 0x7F, 0xC3, 0xFF, b'0', b'9']);
                let header = Value::Object(header.clone()).to_string();
                self.sign(header.as_bytes(), &bytes)
            }
            _ => {
                let others = [
                    "nbf", "acr", "bnd", "rlm", "extra", "scope", "Exp", "crit", "azp",
                ];
                let payload = self.object(&payload, &others);
                let header = Value::Object(header.clone()).to_string();
                self.sign(header.as_bytes(), payload.as_bytes())
            }
        }
    }
}

/// Base64url as lenient libraries read it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The rules that a token breaks for which we refuse it: each is found here in another way than the
/// verifier finds it.
fn broken_rules(token: &str, forge: &Forge, now: u64) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        return vec!["R1 three parts"];
    };
    if [header, payload, signature]
        .iter()
        .any(|part| URL_SAFE_NO_PAD.decode(part).is_err())
    {
        broken.push("R4 base64url has one form");
    }
    let read = |part: &str| -> Option<(Map<String, Value>, bool, bool)> {
        let bytes = LENIENT.decode(part).ok()?;
        let is_text = std::str::from_utf8(&bytes).is_ok();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let value: Value = serde_json::from_str(&text).ok()?;
        let mut names = Repeated(false);
        names.look(&text);
        Some((value.as_object()?.clone(), is_text, names.0))
    };
    match read(header) {
        None => broken.push("R5 strict JSON"),
        Some((header, is_text, has_repeated)) => {
            let text = |name: &str| header.get(name).and_then(Value::as_str);
            let is_typ = text("typ").is_some_and(|typ| {
                ["at+jwt", "application/at+jwt"]
                    .iter()
                    .any(|known| typ.eq_ignore_ascii_case(known))
            });
            for (is_broken, rule) in [
                (!is_text, "R5 UTF-8"),
                (has_repeated, "R6 no member twice"),
                (!is_typ, "R49 `typ` is at+jwt"),
                (text("kid") != Some(&forge.kid()), "R34 `kid` names the key"),
                (text("alg") != Some("HS256"), "R10 `alg` is the key's"),
                (
                    ["crit", "b64", "zip"]
                        .iter()
                        .any(|name| header.contains_key(*name)),
                    "R12 no extension",
                ),
                (depth(&Value::Object(header.clone())) > 16, "R7 depth"),
            ] {
                if is_broken {
                    broken.push(rule);
                }
            }
        }
    }
    match read(payload) {
        None => broken.push("R5 strict JSON"),
        Some((claims, is_text, has_repeated)) => {
            let whole = |name: &str| claims.get(name).and_then(Value::as_u64);
            let text = |name: &str| claims.get(name).and_then(Value::as_str);
            let id = |name: &str| {
                let bytes = text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
                bytes.is_some_and(|bytes| bytes.len() == 16)
            };
            let is_absent = |name: &str| !claims.contains_key(name);
            let lives = whole("exp").zip(whole("iat"));
            let is_long = lives.is_none_or(|(exp, iat)| exp.saturating_sub(iat) > 600);
            for (is_broken, rule) in [
                (!is_text, "R5 UTF-8"),
                (has_repeated, "R6 no member twice"),
                (depth(&Value::Object(claims.clone())) > 16, "R7 depth"),
                (whole("exp").is_none(), "R41 `exp` is a whole number"),
                (whole("iat").is_none(), "R41 `iat` is a whole number"),
                (whole("exp").is_some_and(|exp| exp <= now), "R42 expired"),
                (
                    whole("iat").is_some_and(|iat| iat > now),
                    "R43 issued in the future",
                ),
                (is_long, "R44 lives too long"),
                (
                    !is_absent("nbf") && whole("nbf").is_none_or(|nbf| nbf > now),
                    "R43 `nbf`",
                ),
                (text("iss") != Some(ISSUER), "R46 `iss`"),
                (!is_audience(claims.get("aud")), "R47 `aud`"),
                (
                    text("sub").is_none_or(|sub| sub.parse::<uuid::Uuid>().is_err()),
                    "R57 `sub` is of the user's type",
                ),
                (text("client_id").is_none_or(str::is_empty), "`client_id`"),
                (!id("jti"), "`jti`"),
                (!is_absent("sid") && !id("sid"), "`sid`"),
                (
                    is_absent("sid") != is_absent("gen"),
                    "`sid` and `gen` together",
                ),
                (
                    !is_absent("gen") && whole("gen").is_none_or(|gen_| gen_ > u64::from(u32::MAX)),
                    "`gen`",
                ),
                (whole("uep").is_none(), "`uep`"),
                (
                    !is_absent("auth_time") && whole("auth_time").is_none(),
                    "`auth_time`",
                ),
                (!is_absent("acr") && text("acr").is_none(), "`acr`"),
                (!is_absent("bnd"), "`bnd`"),
                (!is_absent("rlm"), "R137 another realm"),
                (text("email").is_none(), "a claim of the user: `email`"),
                (
                    claims.get("roles").is_none_or(|roles| !are_roles(roles)),
                    "a claim of the user: `roles`",
                ),
            ] {
                if is_broken {
                    broken.push(rule);
                }
            }
        }
    }
    let mac = LENIENT.decode(signature).unwrap_or_default();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &SECRET);
    let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
    if hmac::verify(&key, signed.as_bytes(), &mac).is_err() {
        broken.push("the signature");
    }
    broken
}

fn is_audience(value: Option<&Value>) -> bool {
    match value {
        Some(Value::String(one)) => one == AUDIENCE,
        Some(Value::Array(many)) => {
            many.iter().all(Value::is_string) && many.iter().any(|one| one == AUDIENCE)
        }
        _ => false,
    }
}

fn are_roles(value: &Value) -> bool {
    let is_role = |role: &Value| {
        ["admin", "editor", "author"]
            .iter()
            .any(|known| role == known)
    };
    value
        .as_array()
        .is_some_and(|roles| roles.iter().all(is_role))
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

/// Finds an object with a member twice.
struct Repeated(bool);

impl Repeated {
    fn look(&mut self, text: &str) {
        let mut reader = serde_json::Deserializer::from_str(text);
        let _ = (&mut *self).deserialize(&mut reader);
    }
}

impl<'de> DeserializeSeed<'de> for &mut Repeated {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Repeated {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            self.0 |= !names.insert(name);
            map.next_value_seed(&mut *self)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(&mut *self)?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Why a library refuses what we accept. Both forms mean the same to us as the standard says.
fn why_refused(library: &str, token: &str) -> Option<&'static str> {
    let header = token.split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    let payload = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let is_odd = |name: &str| header.get(name).is_some();
    match library {
        // RFC 7515 section 4.1: members that are not understood are left out, and what a header says
        // of keys is never used here (R23).
        "jwcrypto" | "PyJWT" | "jose"
            if ["jwk", "jku", "x5c", "cty"].iter().any(|name| is_odd(name)) =>
        {
            Some("looks at a member of the header that means nothing here")
        }
        "jwcrypto" if claims.get("scope").is_some() || claims.get("azp").is_some() => {
            Some("wants another type of a claim that means nothing here")
        }
        _ => None,
    }
}

/// The judges, and how to ask them.
struct Judges {
    python: PathBuf,
    script: PathBuf,
}

impl Judges {
    /// Returns what a library says of each token: `1` if it accepts it.
    fn ask(&self, library: &str, tokens: &[String]) -> String {
        let work = json!({
            "alg": "HS256",
            "key": {"kty": "oct", "k": URL_SAFE_NO_PAD.encode(SECRET)},
            "issuer": ISSUER, "audience": AUDIENCE, "tokens": tokens,
        });
        let said = match library {
            "jose" => ask(Command::new("node").arg(&self.script), &work),
            _ => ask(
                Command::new(&self.python)
                    .arg(Path::new(SCRIPTS).join("differential.py"))
                    .arg(library),
                &work,
            ),
        };
        let said = said.as_str().unwrap().to_owned();
        assert_eq!(said.len(), tokens.len());
        said
    }
}

/// How often a library and we agree.
#[derive(Default)]
struct Tally {
    agreed: usize,
    only_it: usize,
    only_we: usize,
    rules: BTreeMap<&'static str, usize>,
}

/// Judges so many changed tokens, and returns how many of them we accept. The differences that no
/// rule explains are added to `unexplained`.
fn judge(
    count: usize,
    changer: &mut Changer,
    judges: &Judges,
    tallies: &mut [(&'static str, Tally)],
    unexplained: &mut Vec<String>,
) -> usize {
    let (forge, now) = (Forge::with_secret(SECRET.to_vec()), changer.now);
    let tokens: Vec<String> = (0..count).map(|_| changer.next()).collect();
    let at = Timestamp::from_secs(now + 60);
    let ours: Vec<bool> = tokens
        .iter()
        .map(|token| forge.verify_at(token, at).is_ok())
        .collect();
    // A token that we accept breaks no rule, whatever the others say.
    for (token, ours) in tokens.iter().zip(&ours) {
        let broken = broken_rules(token, &forge, now + 60);
        if *ours != broken.is_empty() {
            unexplained.push(format!("ours says {ours}, {broken:?}: {token}"));
        }
    }
    for (library, tally) in tallies {
        let said = judges.ask(library, &tokens);
        for ((token, ours), theirs) in tokens.iter().zip(&ours).zip(said.bytes()) {
            match (*ours, theirs == b'1') {
                (one, other) if one == other => tally.agreed += 1,
                (false, true) => {
                    tally.only_it += 1;
                    for rule in broken_rules(token, &forge, now + 60) {
                        *tally.rules.entry(rule).or_default() += 1;
                    }
                }
                _ => {
                    tally.only_we += 1;
                    match why_refused(library, token) {
                        Some(rule) => *tally.rules.entry(rule).or_default() += 1,
                        None => unexplained.push(format!("{library} refuses {token}")),
                    }
                }
            }
        }
    }
    ours.iter().filter(|ours| **ours).count()
}

/// R17: what several libraries disagree about is where forgeries live. Every difference is one that
/// a rule of ours makes.
#[test]
fn each_difference_to_pyjwt_jwcrypto_and_jose_has_a_rule() {
    let (python, node) = match (python(Path::new(KEPT)), node(Path::new(KEPT))) {
        (Ok(python), Ok(node)) => (python, node),
        (Err(why), _) | (_, Err(why)) => return skipped(&why),
    };
    let script = copied(&Path::new(SCRIPTS).join("differential.mjs"), &node);
    let judges = Judges { python, script };
    let count: usize = std::env::var("DIFFERENTIAL")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(400);
    let mut changer = Changer {
        forge: Forge::with_secret(SECRET.to_vec()),
        now: 0,
        chance: Chance(1),
    };
    let mut tallies = ["PyJWT", "jwcrypto", "jose"].map(|library| (library, Tally::default()));
    let mut unexplained = Vec::new();
    let (mut judged, mut accepted) = (0, 0);
    while judged < count {
        // The judges go by their own clocks, so a token must live until the last has judged it; and
        // it began a minute ago, so that none finds it too new.
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        changer.now = (since - Duration::from_secs(60)).as_secs();
        let part = AT_ONCE.min(count - judged);
        accepted += judge(part, &mut changer, &judges, &mut tallies, &mut unexplained);
        judged += part;
    }
    println!("{count} tokens, of which we accept {accepted}");
    assert!(accepted > count / 50 && accepted < count / 2, "{accepted}");
    for (library, tally) in tallies {
        println!(
            "{library}: {} agreed, {} only it accepts, {} only we accept",
            tally.agreed, tally.only_it, tally.only_we
        );
        for (rule, count) in tally.rules {
            println!("    {count:6} {rule}");
        }
    }
    for line in unexplained.iter().take(20) {
        println!("{line}");
    }
    assert!(unexplained.is_empty(), "{} unexplained", unexplained.len());
}

/// How many tokens are judged at once.
const AT_ONCE: usize = 5000;
