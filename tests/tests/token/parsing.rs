//! Attacks on the form of a token: R1 to R17.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::forge::Forge;

#[test]
fn a_good_token_is_good_in_every_form_that_follows() {
    let forge = Forge::new();
    forge.assert_good(&forge.token());
    forge.assert_good(&forge.with_header(|_| {}));
}

#[test]
fn r1_bytes_outside_of_base64url_are_refused() {
    let forge = Forge::new();
    let token = forge.token();
    for bad in [
        " ", "+", "/", "=", "?", "\n", "\0", "\t", "é", "\u{feff}", "%20", ",",
    ] {
        for at in [0, 5, token.len() / 2, token.len()] {
            let mut changed = token.clone();
            changed.insert_str(at, bad);
            forge.assert_invalid(&changed);
        }
    }
}

#[test]
fn r2_only_three_parts_are_a_jws() {
    let forge = Forge::new();
    let token = forge.token();
    for changed in [
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{token}"),
        token.replace('.', ""),
        ".".into(),
    ] {
        forge.assert_invalid(&changed);
    }
}

#[test]
fn r2_r3_huge_input_costs_no_allocation() {
    let forge = Forge::new();
    let inputs = [
        ".".repeat(1_000_000),
        "a".repeat(100_000_000),
        format!("{}.b.c", "a".repeat(1025)),
        "a.".repeat(4096),
    ];
    // A thread's first look at the ring makes its place in arc-swap's list of readers.
    drop(forge.ring.set());
    for input in &inputs {
        let measured = allocation_counter::measure(|| forge.assert_invalid_quietly(input));
        assert_eq!(measured.count_total, 0, "{} bytes", input.len());
    }
}

#[test]
fn r3_a_genuine_token_above_the_cap_is_refused() {
    let forge = Forge::new();
    let of = |len: usize| {
        forge.with_payload(|claims| drop(claims.insert("x".into(), "y".repeat(len).into())))
    };
    let long = (5000..7000)
        .map(of)
        .find(|token| token.len() > 8 * 1024)
        .unwrap();
    forge.assert_invalid(&long);
    forge.assert_good(&of(5000));
    let header = |len: usize| {
        forge.with_header(|header| drop(header.insert("x".into(), "y".repeat(len).into())))
    };
    forge.assert_good(&header(600));
    forge.assert_invalid(&header(1000));
}

/// Every last character whose unused bits are not zero, in all three parts; and padding.
#[test]
fn r4_non_canonical_base64url_is_refused() {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let forge = Forge::new();
    let twins = |part: &str| -> Vec<String> {
        let decoded = |text: &str| {
            let lenient = base64::engine::GeneralPurposeConfig::new()
                .with_decode_allow_trailing_bits(true)
                .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent);
            base64::engine::GeneralPurpose::new(&base64::alphabet::URL_SAFE, lenient)
                .decode(text)
                .ok()
        };
        let ends = ALPHABET
            .chars()
            .map(|last| format!("{}{last}", &part[..part.len() - 1]));
        ends.filter(|twin| twin != part && decoded(twin) == decoded(part))
            .collect()
    };
    let mut tried = 0;
    for pad in 0..3 {
        let header = URL_SAFE_NO_PAD.encode(format!("{}{}", forge.header(), " ".repeat(pad)));
        let payload = URL_SAFE_NO_PAD.encode(format!(
            "{}{}",
            Value::Object(forge.payload()),
            " ".repeat(pad)
        ));
        let token = forge.sign_encoded(&header, &payload);
        forge.assert_good(&token);
        for twin in twins(&header) {
            forge.assert_invalid(&forge.sign_encoded(&twin, &payload));
            tried += 1;
        }
        for twin in twins(&payload) {
            forge.assert_invalid(&forge.sign_encoded(&header, &twin));
            tried += 1;
        }
        let (signed, signature) = token.rsplit_once('.').unwrap();
        for twin in twins(signature) {
            forge.assert_invalid(&format!("{signed}.{twin}"));
            tried += 1;
        }
        for padded in [
            format!("{token}="),
            format!("{token}=="),
            token.replace('.', "=."),
        ] {
            forge.assert_invalid(&padded);
        }
    }
    assert!(tried > 40, "{tried}");
    let bytes = forge.header().to_string();
    forge.assert_invalid(&forge.sign_encoded(
        &URL_SAFE.encode(format!("{bytes} ")),
        &URL_SAFE_NO_PAD.encode("{}"),
    ));
    forge.assert_invalid(&forge.sign_encoded(&STANDARD.encode(bytes), &STANDARD.encode("{}")));
}

#[test]
fn r5_header_and_payload_are_utf_8_json_objects() {
    let forge = Forge::new();
    let header = forge.header().to_string();
    let payload = Value::Object(forge.payload()).to_string();
    for text in ["[]", "null", "\"a\"", "1", "true", "", "{", "}"] {
        forge.assert_invalid(&forge.sign(text, &payload));
        forge.assert_invalid(&forge.with_payload_text(text));
    }
    let changes: [fn(&str) -> String; 6] = [
        |text| format!("\u{feff}{text}"),
        |text| format!("{text}x"),
        |text| format!("{text}{{}}"),
        |text| format!("[{text}]"),
        |text| format!("{text},"),
        |text| format!("{text}\0"),
    ];
    for change in changes {
        forge.assert_invalid(&forge.sign(&change(&header), &payload));
        forge.assert_invalid(&forge.with_payload_text(&change(&payload)));
    }
    let widths: [fn(&str) -> Vec<u8>; 3] = [
        |text| text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        |text| text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        |text| {
            text.chars()
                .flat_map(|c| u32::from(c).to_le_bytes())
                .collect()
        },
    ];
    for width in widths {
        forge.assert_invalid(&forge.sign_encoded(
            &URL_SAFE_NO_PAD.encode(width(&header)),
            &URL_SAFE_NO_PAD.encode(&payload),
        ));
        forge.assert_invalid(&forge.sign_encoded(
            &forge.issued_header(),
            &URL_SAFE_NO_PAD.encode(width(&payload)),
        ));
    }
    // Invalid UTF-8 where nobody would look: in an unknown claim.
    let mut bytes = payload.into_bytes();
    bytes.truncate(bytes.len() - 1);
    bytes.extend_from_slice(b",\"x\":\"\xff\"}");
    forge.assert_invalid(
        &forge.sign_encoded(&forge.issued_header(), &URL_SAFE_NO_PAD.encode(bytes)),
    );
}

#[test]
fn r6_a_member_that_comes_twice_is_refused() {
    let forge = Forge::new();
    let header = forge.header().to_string();
    let payload = Value::Object(forge.payload()).to_string();
    let with = |text: &str, more: &str| format!("{},{more}}}", &text[..text.len() - 1]);

    for more in [
        r#""alg":"HS256""#,
        r#""\u0061lg":"HS256""#,
        r#""typ":"at+jwt""#,
        r#""x":1,"x":1"#,
        r#""x":1,"\u0078":1"#,
        r#""x":{"y":1,"y":1}"#,
    ] {
        forge.assert_invalid(&forge.sign(&with(&header, more), &payload));
    }
    forge.assert_good(&forge.sign(&with(&header, r#""x":1,"X":1"#), &payload));

    for (name, value) in forge.payload() {
        let escaped: String = name
            .encode_utf16()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect();
        for name in [name, escaped] {
            forge.assert_invalid(
                &forge.with_payload_text(&with(&payload, &format!("\"{name}\":{value}"))),
            );
        }
    }
    for more in [
        r#""nbf":1,"nbf":1"#,
        r#""acr":"a","acr":"a""#,
        r#""x":1,"x":1"#,
        r#""x":1,"y":2,"\u0078":1"#,
        r#""x":{"y":1,"y":1}"#,
        r#""extra":{"y":1,"y":1}"#,
        r#""extra":[{"y":1,"\u0079":1}]"#,
    ] {
        forge.assert_invalid(&forge.with_payload_text(&with(&payload, more)));
    }
    forge.assert_good(&forge.with_payload_text(&with(
        &payload,
        r#""x":{"y":1},"y":{"x":1},"extra":{"y":[{"y":1}]}"#,
    )));
}

#[test]
fn r7_deep_and_wide_claims_are_refused() {
    let forge = Forge::new();
    let nested = |name: &str, open: &str, close: &str, levels: usize| {
        let value = format!("{}0{}", open.repeat(levels), close.repeat(levels));
        let payload = Value::Object(forge.payload()).to_string();
        forge.with_payload_text(&format!(
            "{},\"{name}\":{value}}}",
            &payload[..payload.len() - 1]
        ))
    };
    for name in ["x", "extra"] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            forge.assert_good(&nested(name, open, close, 15));
            forge.assert_invalid(&nested(name, open, close, 16));
            forge.assert_invalid(&nested(name, open, close, 900));
        }
    }
    let wide = |more: usize| {
        forge.with_payload(|claims| {
            let own = claims.len();
            claims.extend((own..more).map(|i| (format!("x{i}"), json!(0))));
        })
    };
    forge.assert_good(&wide(256));
    forge.assert_invalid(&wide(257));
    let spread = |members: usize| {
        let object: serde_json::Map<_, _> =
            (0..members).map(|i| (i.to_string(), json!(0))).collect();
        forge.with_payload(|claims| drop(claims.insert("extra".into(), Value::Object(object))))
    };
    forge.assert_good(&spread(200));
    forge.assert_invalid(&spread(250));
}

#[test]
fn r8_json_serialization_is_refused() {
    let forge = Forge::new();
    let token = forge.token();
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    forge.assert_invalid(
        &json!({"protected": header, "payload": payload, "signature": signature}).to_string(),
    );
    let general =
        json!({"payload": payload, "signatures": [{"protected": header, "signature": signature}]});
    forge.assert_invalid(&general.to_string());
}

#[test]
fn r9_an_encrypted_token_is_refused() {
    let forge = Forge::new();
    // RFC 7516 appendix A.2, cut to its shape, and one that names our key.
    forge.assert_invalid(
        "eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.UGhJT3Y.AxY8DCtDaGlsbGljb3RoZQ.\
         KDlTtXch.9hH0vgRf",
    );
    let header =
        json!({"alg": "dir", "enc": "A256GCM", "cty": "JWT", "typ": "at+jwt", "kid": forge.kid()})
            .to_string();
    forge.assert_invalid(&format!(
        "{}..AAAA.AAAA.AAAA",
        URL_SAFE_NO_PAD.encode(header)
    ));
}

#[test]
fn r10_the_algorithm_is_compared_to_the_letter() {
    let forge = Forge::new();
    for alg in [
        "none", "None", "nOnE", "NONE", "none ", "", "hs256", "Hs256", "HS256 ", " HS256", "HS384",
        "HS512", "EdDSA", "RS256",
    ] {
        let token = forge.with_header(|header| drop(header.insert("alg".into(), alg.into())));
        forge.assert_invalid(&token);
        let (signed, _) = token.rsplit_once('.').unwrap();
        forge.assert_invalid(&format!("{signed}."));
    }
    for alg in [
        Value::Null,
        json!(1),
        json!(["HS256"]),
        json!({"HS256": 1}),
        json!(true),
    ] {
        forge.assert_invalid(&forge.with_header(|header| drop(header.insert("alg".into(), alg))));
    }
    forge.assert_invalid(&forge.with_header(|header| drop(header.remove("alg"))));
}

#[test]
fn r11_an_empty_or_short_signature_is_refused() {
    let forge = Forge::new();
    let token = forge.token();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    for signature in [
        "",
        "A",
        "AA",
        &signature[..signature.len() - 1],
        &signature[..22],
        &format!("{signature}A"),
        &"A".repeat(43),
    ] {
        forge.assert_invalid(&format!("{signed}.{signature}"));
    }
    forge.assert_invalid(signed);
}

#[test]
fn r12_critical_headers_are_refused() {
    let forge = Forge::new();
    for crit in [
        json!([]),
        json!(["b64"]),
        json!(["exp"]),
        json!(["alg"]),
        json!(["x"]),
        json!("x"),
        json!({}),
        Value::Null,
        json!(false),
    ] {
        let token = forge.with_header(|header| {
            header.insert("crit".into(), crit.clone());
            header.insert("x".into(), json!(1));
        });
        forge.assert_invalid(&token);
    }
}

#[test]
fn r13_r14_unencoded_and_compressed_payloads_are_refused() {
    let forge = Forge::new();
    for (name, value) in [
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("zip", Value::Null),
    ] {
        forge.assert_invalid(&forge.with_header(|header| drop(header.insert(name.into(), value))));
    }
}

impl Forge {
    /// Without a message that would allocate.
    fn assert_invalid_quietly(&self, token: &str) {
        assert!(self.verify(token).is_err());
    }
}
