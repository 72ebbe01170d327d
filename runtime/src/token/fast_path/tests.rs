//! Tests of the fast path for reading claims.

use serde::Serialize;
use serde::ser::SerializeMap;

use super::super::decode;
use super::*;

fn string(text: &str) -> Option<(&str, &str)> {
    let mut read = Scanner { rest: text };
    let text = read.string()?;
    Some((text, read.rest))
}

fn integer(text: &str) -> Option<u64> {
    Scanner { rest: text }.integer()
}

/// A user with an address and, perhaps, a number.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Addressed {
    id: u64,
    email: String,
    number: Option<u64>,
}

impl ClaimSet for Addressed {
    type Subject = u64;
    type Draft = (Option<String>, Option<u64>);

    fn subject(&self) -> &u64 {
        &self.id
    }

    fn parse_subject(text: &str) -> Option<u64> {
        text.parse().ok()
    }

    fn write<M: SerializeMap>(&self, _: &mut M) -> Result<(), M::Error> {
        Ok(())
    }

    fn place(name: &str) -> Option<usize> {
        ["email", "number"].iter().position(|own| *own == name)
    }

    fn read<'de, A: MapAccess<'de>>(
        draft: &mut Self::Draft,
        place: usize,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let (email, number) = draft;
        match place {
            0 if email.is_none() => *email = Some(map.next_value()?),
            1 if number.is_none() => *number = Some(map.next_value()?),
            _ => return Err(A::Error::custom("twice")),
        }
        Ok(())
    }

    fn finish((email, number): Self::Draft, id: u64) -> Result<Self, &'static str> {
        Ok(Self {
            id,
            email: email.ok_or("email")?,
            number,
        })
    }

    fn has_role(&self, _: &str) -> bool {
        false
    }

    fn has_scope(&self, _: &str) -> bool {
        false
    }
}

/// A user with `N` claims, each of which may be missing.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Optional<const N: usize> {
    id: u64,
    held: Vec<Option<Option<u64>>>,
}

const NAMES: [&str; 3] = ["email", "number", "age"];

impl<const N: usize> ClaimSet for Optional<N> {
    type Subject = u64;
    type Draft = Vec<Option<Option<u64>>>;

    fn subject(&self) -> &u64 {
        &self.id
    }

    fn parse_subject(text: &str) -> Option<u64> {
        text.parse().ok()
    }

    fn write<M: SerializeMap>(&self, _: &mut M) -> Result<(), M::Error> {
        Ok(())
    }

    fn place(name: &str) -> Option<usize> {
        NAMES[..N].iter().position(|own| *own == name)
    }

    fn read<'de, A: MapAccess<'de>>(
        held: &mut Self::Draft,
        place: usize,
        map: &mut A,
    ) -> Result<(), A::Error> {
        held.resize(N, None);
        if held[place].is_some() {
            return Err(A::Error::custom("twice"));
        }
        held[place] = Some(map.next_value()?);
        Ok(())
    }

    fn finish(held: Self::Draft, id: u64) -> Result<Self, &'static str> {
        Ok(Self { id, held })
    }

    fn has_role(&self, _: &str) -> bool {
        false
    }

    fn has_scope(&self, _: &str) -> bool {
        false
    }
}

/// A user with claims of many types, of which any may be missing.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Typed {
    id: u64,
    /// The value that was read, in its `Debug` form.
    held: Vec<Option<String>>,
}

#[derive(Debug, serde::Deserialize)]
#[allow(dead_code, reason = "`Debug` shows it")]
enum Rank {
    #[serde(rename = "low")]
    Low,
    High(u8),
}

#[derive(Debug, serde::Deserialize)]
#[allow(dead_code, reason = "`Debug` shows it")]
struct Wrapped(Option<i8>);

/// A type that reads a value which it does not understand as `None`.
#[derive(Debug)]
#[allow(dead_code, reason = "`Debug` shows it")]
struct Forgiving<T>(Option<T>);

impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Forgiving<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(T::deserialize(deserializer).ok()))
    }
}

const TYPED: [&str; 12] = [
    "num", "real", "flag", "list", "deep", "rank", "wrap", "pair", "any", "free", "frees", "char",
];

impl ClaimSet for Typed {
    type Subject = u64;
    type Draft = Vec<Option<String>>;

    fn subject(&self) -> &u64 {
        &self.id
    }

    fn parse_subject(text: &str) -> Option<u64> {
        text.parse().ok()
    }

    fn write<M: SerializeMap>(&self, _: &mut M) -> Result<(), M::Error> {
        Ok(())
    }

    fn place(name: &str) -> Option<usize> {
        TYPED.iter().position(|own| *own == name)
    }

    fn read<'de, A: MapAccess<'de>>(
        held: &mut Self::Draft,
        place: usize,
        map: &mut A,
    ) -> Result<(), A::Error> {
        fn shown<'de, T, A>(map: &mut A) -> Result<String, A::Error>
        where
            T: serde::Deserialize<'de> + fmt::Debug,
            A: MapAccess<'de>,
        {
            map.next_value::<T>().map(|value| format!("{value:?}"))
        }
        held.resize(TYPED.len(), None);
        if held[place].is_some() {
            return Err(A::Error::custom("twice"));
        }
        held[place] = Some(match place {
            0 => shown::<i16, A>(map)?,
            1 => shown::<f64, A>(map)?,
            2 => shown::<bool, A>(map)?,
            3 => shown::<Vec<String>, A>(map)?,
            4 => shown::<Vec<Option<Vec<u8>>>, A>(map)?,
            5 => shown::<Rank, A>(map)?,
            6 => shown::<Wrapped, A>(map)?,
            7 => shown::<(u8, std::borrow::Cow<'de, str>), A>(map)?,
            8 => shown::<serde_json::Value, A>(map)?,
            9 => shown::<Forgiving<u8>, A>(map)?,
            10 => shown::<Forgiving<Vec<u8>>, A>(map)?,
            _ => shown::<char, A>(map)?,
        });
        Ok(())
    }

    fn finish(held: Self::Draft, id: u64) -> Result<Self, &'static str> {
        Ok(Self { id, held })
    }

    fn has_role(&self, _: &str) -> bool {
        false
    }

    fn has_scope(&self, _: &str) -> bool {
        false
    }
}

fn expect() -> Expect {
    Expect {
        issuer: "https://a.example".into(),
        audience: "api".into(),
        realm: None,
        client_id: "first-party".into(),
        leeway: std::time::Duration::ZERO,
        max_lifetime: std::time::Duration::from_secs(600),
        allow_expired: false,
    }
}

type DecodedParts<C> = (
    C,
    Box<str>,
    Option<Box<str>>,
    [Option<u64>; 5],
    TokenId,
    Option<(SessionId, u32)>,
    Option<Box<str>>,
);

fn parts<C>(decoded: Decoded<C>) -> DecodedParts<C> {
    let numbers = [
        Some(decoded.expires),
        Some(decoded.issued),
        decoded.not_before,
        Some(decoded.user_epoch),
        decoded.auth_time,
    ];
    (
        decoded.claims,
        decoded.subject.to_string().into(),
        decoded.client_id,
        numbers,
        decoded.jti,
        decoded.session,
        decoded.acr,
    )
}

const REGISTERED: &str = concat!(
    r#"{"iss":"https://a.example","sub":"7","aud":"api","client_id":"first-party","exp":1700000600,"iat":1700000000,"#,
    r#""jti":"AAECAwQFBgcICQoLDA0ODw","sid":"AAECAwQFBgcICQoLDA0ODw","gen":3,"uep":0,"auth_time":1699999999"#,
);

/// Returns a payload with these own members, after the registered ones.
fn issued(own: &str) -> String {
    format!("{REGISTERED}{own}}}")
}

const ADDRESSED: &str = r#","email":"a@example.com","number":7"#;

#[test]
fn what_the_issuer_writes_is_read_the_short_way_and_left_as_it_was() {
    for (issued, expect) in realms(ADDRESSED) {
        let mut payload = issued.as_bytes().to_vec();
        let short = shape_only::<Addressed>(&mut payload, &expect).unwrap();
        assert_eq!(payload, issued.as_bytes());
        assert_eq!(Some(short), slow(&payload, &expect));
    }
}

/// Returns payloads for the default realm and for a named one, each with the requirements of its
/// verifier.
fn realms(own: &str) -> [(String, Expect); 2] {
    let in_staff = Expect {
        realm: Some(crate::realm::RealmName::parse("staff").unwrap()),
        ..expect()
    };
    let staff = issued(own).replace(r#","exp":"#, r#","rlm":"staff","exp":"#);
    [(issued(own), expect()), (staff, in_staff)]
}

fn shape_only<C: ClaimSet>(payload: &mut [u8], expect: &Expect) -> Option<DecodedParts<C>> {
    super::decode::<C>(payload, &Frame::of(expect)?).map(parts)
}

fn slow<C: ClaimSet>(payload: &[u8], expect: &Expect) -> Option<DecodedParts<C>> {
    let text = std::str::from_utf8(payload).ok()?;
    decode::decode::<C>(text, expect).map(parts)
}

/// Checks that the fast path, wherever it answers, answers as the general decoder does: for every
/// change of one byte after `from`, every cut there, every member left out, doubled or moved.
/// Returns how often it answered.
fn compare<C: ClaimSet + PartialEq>(issued: &str, expect: &Expect, from: usize) -> usize {
    let mut cases: Vec<Vec<u8>> = Vec::new();
    for at in from..issued.len() {
        for byte in *b"\"\\{}[],:0195aZ_- \n\x7f\xc3e.+" {
            let mut changed = issued.as_bytes().to_vec();
            changed[at] = byte;
            cases.push(changed.clone());
            changed.insert(at, byte);
            cases.push(changed);
        }
        for text in [",,", ", ", " ,", "\",", ",\"\":1", ",\"\"", "null", ",null"] {
            let (before, after) = issued.split_at(at);
            cases.push(format!("{before}{text}{after}").into_bytes());
        }
        cases.push(issued.as_bytes()[..at].to_vec());
        cases.push([&issued.as_bytes()[..at], &issued.as_bytes()[at + 1..]].concat());
    }
    for end in ["", " ", "}", ",", ",}", "{}", "\0"] {
        cases.push(format!("{issued}{end}").into_bytes());
    }
    let members: Vec<&str> = issued.trim_matches(['{', '}']).split(',').collect();
    let object = |members: &[&str]| format!("{{{}}}", members.join(",")).into_bytes();
    for one in 0..members.len() {
        let mut without = members.clone();
        let member = without.remove(one);
        cases.push(object(&without));
        for other in 0..=without.len() {
            let mut moved = without.clone();
            moved.insert(other, member);
            cases.push(object(&moved));
            let mut doubled = members.clone();
            doubled.insert(other, member);
            cases.push(object(&doubled));
            for stranger in [
                r#""nbf":1"#,
                r#""acr":"x""#,
                r#""rlm":"staff""#,
                r#""rlm":"other""#,
                r#""x":null"#,
                r#""x":[1]"#,
                r#""em\u0061il":"b""#,
                r#""number":null"#,
                r#""age":5"#,
                "",
            ] {
                let mut with = members.clone();
                with.insert(other, stranger);
                cases.push(object(&with));
            }
        }
    }
    let mut short_answers = 0;
    for mut case in cases {
        let before = case.clone();
        // The gate uses this path only if no value is an object.
        if !std::str::from_utf8(&case).is_ok_and(super::super::json::is_plain) {
            continue;
        }
        if let Some(short) = shape_only::<C>(&mut case, expect) {
            short_answers += 1;
            let shown = String::from_utf8_lossy(&before);
            assert!(Some(short) == slow(&before, expect), "{shown}");
        }
        assert_eq!(case, before);
    }
    short_answers
}

#[test]
fn the_short_way_never_differs_from_the_slow_one() {
    fn check<C: ClaimSet + PartialEq>(own: &str) {
        check_from::<C>(own, 0);
    }
    fn check_from<C: ClaimSet + PartialEq>(own: &str, from: usize) {
        for (issued, expect) in realms(own) {
            let answers = compare::<C>(&issued, &expect, from);
            assert!(answers > 50, "{answers} for {issued}");
        }
    }
    check::<Optional<0>>("");
    check::<Optional<1>>(r#","email":1"#);
    check::<Optional<1>>("");
    check::<Optional<3>>(r#","email":1,"number":2,"age":3"#);
    check::<Optional<3>>(r#","number":2"#);
    check::<Addressed>(ADDRESSED);
    for own in [
        r#","num":-12,"flag":true,"list":["a","b"],"rank":"low""#,
        r#","deep":[[1],null,[]],"wrap":null,"pair":[7,"x"]"#,
        r#","any":[1,"a",false,null,[-3]],"free":5,"frees":[1,2]"#,
        r#","real":7,"char":"c","list":[],"wrap":-5"#,
    ] {
        // The registered members were changed above.
        check_from::<Typed>(own, REGISTERED.len());
    }
}

/// A value that needs serde_json is not read in part: a value that a type forgives, a fraction, an
/// escape, a list that does not end.
#[test]
fn what_is_not_plain_is_left_to_serde_json() {
    let plain = |own: &str| {
        let text = format!("{own}}}");
        read_plain::<Typed>(Scanner { rest: &text }).is_some()
    };
    for own in [
        "",
        r#","num":-12"#,
        r#","any":"ß{""#,
        r#","free":300"#,
        r#","list":["a"],"deep":[[1,2]]"#,
    ] {
        assert!(plain(own), "{own}");
    }
    for own in [
        r#","free":1.5"#,
        r#","free":{}"#,
        r#","free":"a""#,
        r#","frees":[300,"num":1"#,
        r#","frees":[300]"#,
        r#","frees":[1,]"#,
        r#","real":1.0"#,
        r#","real":1e3"#,
        r#","real":-0"#,
        r#","any":18446744073709551616"#,
        r#","any":"a\u0062""#,
        r#","any": 1"#,
        r#","any":[[[[[[[[[1]]]]]]]]]"#,
        r#","rank":{"High":1}"#,
        r#","num":1,"num":2"#,
        r#","acr":"x""#,
        r#","other":1"#,
    ] {
        assert!(!plain(own), "{own}");
        for (text, expect) in realms(own) {
            let mut payload = text.clone().into_bytes();
            let short = shape_only::<Typed>(&mut payload, &expect);
            assert!(
                short.is_none() || short == slow::<Typed>(&payload, &expect),
                "{text}"
            );
        }
    }
}

/// A name with a quote in it is written with an escape: its bytes are not compared with those of a
/// token.
#[test]
fn a_name_that_needs_an_escape_is_not_compared_byte_for_byte() {
    for issuer in [r#"https://a.example","x":""#, "a\\u0062", "\u{1}", "\u{e9}"] {
        let expect = Expect {
            issuer: issuer.into(),
            ..expect()
        };
        let payload = issued("").replace("https://a.example", issuer);
        let short = shape_only::<Optional<0>>(&mut payload.into_bytes(), &expect);
        assert!(short.is_none(), "{issuer:?}");
    }
}

/// A comma must be followed by a member, even if no claim is required.
#[test]
fn a_comma_without_a_member_is_not_read() {
    for own in [",", ", ", ",,", ",\n"] {
        for (text, expect) in realms(own) {
            let mut payload = text.clone().into_bytes();
            assert!(shape_only::<Optional<0>>(&mut payload, &expect).is_none());
            assert!(shape_only::<Optional<3>>(&mut payload, &expect).is_none());
            assert!(
                slow::<Optional<3>>(text.as_bytes(), &expect).is_none(),
                "{text}"
            );
        }
    }
}

#[test]
fn strings_are_printable_and_plain() {
    assert_eq!(string("ab c\"x"), Some(("ab c", "x")));
    assert_eq!(string("\""), Some(("", "")));
    for other in ["a", "", "a\\\"\"", "\u{7f}\"", "\n\"", "\u{e9}\""] {
        assert_eq!(string(other), None, "{other:?}");
    }
}

#[test]
fn integers_are_canonical() {
    assert_eq!(integer("0,"), Some(0));
    assert_eq!(
        integer("9999999999999999999}"),
        Some(9_999_999_999_999_999_999)
    );
    for other in ["", "-1", "01", "00", "10000000000000000000", "a"] {
        assert_eq!(integer(other), None, "{other:?}");
    }
}
