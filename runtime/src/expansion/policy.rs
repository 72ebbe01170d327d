//! What policies name: the variants of closed sets, and the claims of user types.

/// An enum that derives `ClaimValue` has it for each of its variants; the number stands for the
/// variant's name.
pub trait NamedVariant<const NAME: u64> {
    /// Its string on the wire.
    const WIRE: &'static str;
}

/// [`NamedVariant`] as policies ask for it, so that rustc says one sentence where it is missing,
/// and no numbers.
#[diagnostic::on_unimplemented(
    message = "this is no value of `{Self}`",
    label = "`{Self}` has no variant of this name, or does not derive `ClaimValue`",
    note = "a policy asks for a variant of an enum with `#[derive(Clone, Copy, ClaimValue)]`, \
            spelt as in the enum"
)]
pub trait Variant<const NAME: u64> {
    /// Its string on the wire.
    const WIRE: &'static str;
}

#[diagnostic::do_not_recommend]
impl<const NAME: u64, V: NamedVariant<NAME>> Variant<NAME> for V {
    const WIRE: &'static str = V::WIRE;
}

/// The string of a variant. The variant itself is there to be found, renamed and checked where a
/// policy names it.
#[must_use]
pub const fn wire<const NAME: u64, V: Variant<NAME>>(_: &V) -> &'static str {
    V::WIRE
}

/// A user type that derives `JwtClaims` has it for each of its own claims; the number stands for
/// the field's name, `K` for the kind of value that a policy compares the claim with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no claim of this name",
    label = "no field of `{Self}` of this name is a claim that policies may compare",
    note = "a policy names the field as it stands in the struct, and one that is not skipped; \
            roles and scopes are asked for with `role` and `scope`"
)]
pub trait HasClaim<const NAME: u64, K> {
    /// The claim's name on the wire.
    const WIRE: &'static str;
}
