//! The rules of options that stand beside each other.

use crate::claims::parse::{ClaimsArgs, FieldItem};
use crate::diag::Diag;

/// Refuses options that contradict each other.
pub(super) fn check(said: &FieldItem, args: &ClaimsArgs, diag: &mut Diag) {
    if args.options.external.is_given() {
        for word in [&said.args.confidential.0, &said.args.expose.0]
            .into_iter()
            .flatten()
        {
            diag.error(
                word,
                format_args!(
                    "`{word}` cannot be combined with `external`: the issuer of the token decides \
                     who may read it, so leave `{word}` out"
                ),
            );
        }
    } else if let Some(action) = &said.args.action.0 {
        diag.error(
            action,
            "`action` is for tokens that others issue: say `#[claims(external)]` above the \
             struct, or leave `action` out",
        );
    }
    if let Some(sub) = &said.args.sub.0 {
        for other in said.named.iter().filter(|other| *other != sub) {
            let reason = match other.to_string().as_str() {
                "skip" => "every token needs a subject",
                "rename" => "the subject is always `sub` on the wire",
                "with" => "the subject is written with `Display` and read with `FromStr`",
                "default" => "a token without a subject is refused",
                "roles" | "scope" => "a subject is neither role nor scope",
                "action" => "a subject is no action",
                "confidential" => "the gate itself reads the subject of every token",
                _ => continue,
            };
            diag.error(
                other,
                format_args!(
                    "`{other}` cannot be combined with `sub`: {reason}, so leave `{other}` out"
                ),
            );
        }
    } else if let Some(skip) = &said.args.skip.0 {
        for other in said.named.iter().filter(|other| *other != skip) {
            diag.error(
                other,
                format_args!(
                    "`{other}` cannot be combined with `skip`: the field is not in the token, \
                     so remove one of them"
                ),
            );
        }
    } else {
        check_readers(said, diag);
    }
}

/// Refuses options of an own claim that contradict each other.
fn check_readers(said: &FieldItem, diag: &mut Diag) {
    if let (Some(expose), Some(_)) = (&said.args.expose.0, &said.args.confidential.0) {
        diag.error(
            expose,
            "`expose` cannot be combined with `confidential`: the first lets everybody who \
             holds the token read the claim, the second hides it, so remove one of them",
        );
    }
    if let Some(action) = &said.args.action.0 {
        for other in said.named.iter().filter(|other| {
            ["roles", "scope", "with", "default"].contains(&other.to_string().as_str())
        }) {
            diag.error(
                other,
                format_args!(
                    "`{other}` cannot be combined with `{action}`: the field holds one digest, \
                     which every token must have, so remove one of them"
                ),
            );
        }
    } else if let (Some(_), Some(scope)) = (&said.args.roles.0, &said.args.scope.0) {
        diag.error(
            scope,
            "`scope` cannot be combined with `roles`: mark a separate field as `scope`",
        );
    } else if let (Some(of), None, None) = (&said.args.of.0, &said.args.roles.0, &said.args.scope.0)
    {
        diag.error(
            of,
            "`of` says what a set of roles or scopes holds: add `roles` or `scope`, or leave it \
             out",
        );
    } else if let (Some(of), Some(_)) = (&said.args.of.0, &said.args.with.0) {
        diag.error(
            of,
            "`of` cannot be combined with `with`: the module writes and reads the set, so \
             remove one of them",
        );
    } else if let (Some(_), Some(with)) = (&said.args.scope.0, &said.args.with.0) {
        diag.error(
            with,
            "`with` cannot be combined with `scope`: scopes are one space-delimited string (RFC \
             9068), so leave `with` out",
        );
    }
}
