//! Reads `#[policy(…)]`. Knows how conditions look, not what they mean.

use darling::FromMeta;
use darling::ast::NestedMeta;
use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{DeriveInput, Lit, LitStr, Meta, Path, Token, Type, braced, parenthesized, token};

use super::words;
use crate::attr;
use crate::case::Case;
use crate::diag::{self, Diag};
use crate::options::{self, List, Maybe, Options, Value};
use crate::path::Krate;

/// The options of `#[policy(…)]` on the struct.
pub(crate) struct PolicyArgs {
    pub(crate) conditions: Vec<Condition>,
    /// `true` where the attribute has at least one condition, readable or not.
    pub(crate) said: bool,
    pub(crate) user: Option<Type>,
    /// `true` where the attribute has `user`, readable or not.
    pub(crate) user_said: bool,
    pub(crate) consistency: Option<ConsistencyWord>,
    pub(crate) krate: Krate,
}

/// One condition, with its own word.
pub(crate) struct Condition {
    pub(crate) word: Ident,
    pub(crate) kind: ConditionKind,
}

/// The requirement of a condition.
pub(crate) enum ConditionKind {
    Role(NamedWord),
    Scope(NamedWord),
    Claim(Ident, WantedValue),
    MaxAge(LitStr),
    Acr(LitStr),
    /// Another policy.
    Policy(Type),
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Vec<Condition>),
}

/// A role or scope.
pub(crate) enum NamedWord {
    /// The variant of an enum.
    Variant(VariantPath),
    /// One of an open set, which tokens of others have.
    Text(LitStr),
}

/// The value that a claim is to have.
pub(crate) enum WantedValue {
    /// A string, an integer or a bool; other literals are a mistake.
    Literal {
        negative: bool,
        lit: Lit,
    },
    Path(VariantPath),
}

/// The path of a variant, as in `Role::Admin`, `Role::Admin {}` or `Role::Admin()`.
pub(crate) struct VariantPath {
    pub(crate) path: Path,
    pub(crate) has_braces: bool,
}

/// `strict`, `eventual`, `bounded("…")`, or an unknown word.
pub(crate) struct ConsistencyWord {
    pub(crate) word: Ident,
    pub(crate) bound: Option<LitStr>,
}

/// The options: three of the whole policy, and its conditions.
#[derive(Default, FromMeta)]
struct PolicyAttribute {
    /// The one user type that it is for.
    user: Maybe<Type>,
    /// The way in which a verifier learns of revocations before it accepts the token.
    consistency: Maybe<ConsistencyWord>,
    #[darling(rename = "crate")]
    krate: Maybe<Path>,
}

impl Options for PolicyAttribute {
    const NAMES: &'static [&'static str] = &WHOLE;
}

const WHOLE: [&str; 3] = ["user", "consistency", "crate"];
const NESTED: [&str; 9] = [
    "role", "scope", "claim", "max_age", "acr", "policy", "any", "all", "not",
];
const OPTIONS: [&str; 12] = [
    "role",
    "scope",
    "claim",
    "max_age",
    "acr",
    "policy",
    "any",
    "all",
    "not",
    "user",
    "consistency",
    "crate",
];
const REPEATABLE: [&str; 8] = [
    "role", "scope", "claim", "acr", "policy", "any", "all", "not",
];
const SYNONYMS: [(&str, &str); 5] = [
    ("roles", "role"),
    ("scopes", "scope"),
    ("claims", "claim"),
    ("policies", "policy"),
    ("or", "any"),
];

/// Reads the attributes of the item.
pub(crate) fn parse(item: &DeriveInput, diag: &mut Diag) -> PolicyArgs {
    let mut attrs = item.attrs.clone();
    let mut count = 0;
    for attr in &mut attrs {
        if let (true, Meta::List(list)) = (attr.path().is_ident("policy"), &mut attr.meta) {
            list.tokens = words::understood(list.tokens.clone(), &mut count, diag);
        }
    }
    let items = attr::of_attributes(&attrs, &["policy"], diag);
    let items = options::once(items, &SYNONYMS, &REPEATABLE, diag);
    let (whole, conditions): (Vec<NestedMeta>, Vec<NestedMeta>) = items
        .into_iter()
        .partition(|item| attr::key(item).is_some_and(|key| WHOLE.iter().any(|word| key == word)));
    let is_bare = item
        .attrs
        .iter()
        .any(|attr| attr.path().is_ident("policy") && attr.meta.require_list().is_err());
    let said = !conditions.is_empty() || is_bare;
    let whole = options::read::<PolicyAttribute>(whole, diag);
    let reader = Reader {
        has_user: whole.has("user"),
    };
    PolicyArgs {
        said: said || whole.has("consistency"),
        conditions: conditions
            .iter()
            .filter_map(|item| reader.read(item, &OPTIONS, diag))
            .collect(),
        user_said: reader.has_user,
        krate: Krate::new(&whole.args.krate),
        user: whole.args.user.0,
        consistency: whole.args.consistency.0,
    }
}

/// Reads conditions.
struct Reader {
    /// `true` where the policy names its user type: then a string may be of an open set.
    has_user: bool,
}

impl Reader {
    fn read(&self, item: &NestedMeta, known: &[&str], diag: &mut Diag) -> Option<Condition> {
        let word = attr::key(item)?.clone();
        if attr::value(item).is_some_and(TokenStream::is_empty) {
            // Reported where it was read.
            return None;
        }
        let kind = match word.to_string().as_str() {
            "role" => ConditionKind::Role(self.named(item, &word, "role = Role::Admin", diag)?),
            "scope" => {
                ConditionKind::Scope(self.named(item, &word, "scope = Scope::Write", diag)?)
            }
            "claim" => claim(item, diag)?,
            "max_age" => ConditionKind::MaxAge(one(item, diag)?),
            "acr" => ConditionKind::Acr(one(item, diag)?),
            "policy" => ConditionKind::Policy(one(item, diag)?),
            "all" => {
                let example = "all(role = Role::Admin, max_age = \"5m\")";
                ConditionKind::All(self.nested(item, example, diag)?)
            }
            "any" => {
                let example = "any(role = Role::Admin, role = Role::Editor)";
                ConditionKind::Any(self.nested(item, example, diag)?)
            }
            "not" => {
                let example = "not(role = Role::Guest)";
                ConditionKind::Not(self.nested(item, example, diag)?)
            }
            name if WHOLE.contains(&name) => {
                diag.error(
                    &word,
                    format_args!(
                        "`{name}` belongs to the whole policy: move it out of these brackets"
                    ),
                );
                return None;
            }
            name => {
                let sentence = match (diag::nearest(name, known), attr::value(item)) {
                    (None, Some(value)) => {
                        let user = if self.has_user {
                            ""
                        } else {
                            ", and beside it `user = User`"
                        };
                        format!(
                            "unknown option `{name}`: for a claim, write `claim({name} = \
                             {value})`{user}"
                        )
                    }
                    _ => diag::unknown("option", name, known),
                };
                diag.error(&word, sentence);
                return None;
            }
        };
        Some(Condition { word, kind })
    }

    fn nested(&self, item: &NestedMeta, example: &str, diag: &mut Diag) -> Option<Vec<Condition>> {
        let items = list(item, example, diag)?;
        let items = options::once(items, &SYNONYMS, &REPEATABLE, diag);
        Some(
            items
                .iter()
                .filter_map(|item| self.read(item, &NESTED, diag))
                .collect(),
        )
    }

    fn named(
        &self,
        item: &NestedMeta,
        word: &Ident,
        example: &str,
        diag: &mut Diag,
    ) -> Option<NamedWord> {
        let text =
            attr::value(item).and_then(|value| <LitStr as Value>::parse.parse2(value.clone()).ok());
        if let Some(text) = text {
            if self.has_user {
                return Some(NamedWord::Text(text));
            }
            let example = suggested(word, &text.value()).unwrap_or_else(|| example.to_owned());
            diag.error(
                &text,
                format_args!(
                    "a {word} is the variant of an enum, since a string can be misspelt and still \
                     compile: write `{example}`; for tokens that others issue, whose {word}s are \
                     strings, add the user type that holds them: `user = Partner`"
                ),
            );
            return None;
        }
        let Some(tokens) = attr::value(item) else {
            diag.error(
                word,
                format_args!("`{word}` takes a path: write `{example}`"),
            );
            return None;
        };
        match VariantPath::read.parse2(tokens.clone()) {
            Ok(path) => Some(NamedWord::Variant(path)),
            Err(_) => {
                diag.error(tokens, format_args!("expected a path: write `{example}`"));
                None
            }
        }
    }
}

/// Returns the condition that names the variant for a string, as in `role = Role::ChiefEditor`.
fn suggested(word: &Ident, text: &str) -> Option<String> {
    let variant = Case::Pascal.of_field(
        &text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("_"),
    );
    let name: Ident = syn::parse_str(&variant).ok()?;
    let of = if word == "scope" { "Scope" } else { "Role" };
    Some(format!("{word} = {of}::{name}"))
}

/// Reads the value of an option that has one.
fn one<T: Value>(item: &NestedMeta, diag: &mut Diag) -> Option<T> {
    match Maybe::<T>::from_nested_meta(item) {
        Ok(value) => value.0,
        Err(error) => {
            diag.darling(error);
            None
        }
    }
}

/// Reads the options in `(…)` of an option that has them.
fn list(item: &NestedMeta, example: &str, diag: &mut Diag) -> Option<Vec<NestedMeta>> {
    if let NestedMeta::Meta(Meta::List(_)) = item {
        let list = List::from_nested_meta(item).ok()?;
        return Some(list.items(example, diag));
    }
    let key = attr::key(item)?;
    diag.error(
        key,
        format_args!("`{key}` takes options of its own: write `{example}`"),
    );
    None
}

fn claim(item: &NestedMeta, diag: &mut Diag) -> Option<ConditionKind> {
    let mut items = list(item, "claim(plan = Plan::Pro)", diag)?.into_iter();
    let first = items.next()?;
    let field = attr::key(&first)?.clone();
    if let Some(second) = items.next().as_ref().and_then(attr::key) {
        diag.error(
            second,
            format_args!(
                "`claim` asks for one claim, here for `{field}`: write another `claim(…)` for \
                 `{second}`"
            ),
        );
    }
    if attr::value(&first).is_some_and(TokenStream::is_empty) {
        return None;
    }
    Some(ConditionKind::Claim(field, one(&first, diag)?))
}

impl VariantPath {
    fn read(input: ParseStream<'_>) -> syn::Result<Self> {
        let path = Path::parse_mod_style(input)?;
        let (is_braced, is_tuple) = (input.peek(token::Brace), input.peek(token::Paren));
        if is_braced {
            let inside;
            braced!(inside in input);
            inside.parse::<syn::parse::Nothing>()?;
        } else if is_tuple {
            let inside;
            parenthesized!(inside in input);
            inside.parse::<syn::parse::Nothing>()?;
        }
        // Empty braces name a tuple variant too.
        let has_braces = is_braced || is_tuple;
        Ok(Self { path, has_braces })
    }
}

impl Value for WantedValue {
    const WHAT: &'static str = "a string, a whole number, a bool or a variant";

    fn example(key: &str) -> String {
        format!("{key} = \"…\"`, `{key} = 7`, `{key} = true` or `{key} = Plan::Pro")
    }

    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        if ahead.call(Path::parse_mod_style).is_ok() && ahead.peek(Token![!]) {
            let text: LitStr = Value::parse(input)?;
            return Ok(Self::Literal {
                negative: false,
                lit: Lit::Str(text),
            });
        }
        if !input.peek(Lit) && !input.peek(Token![-]) {
            return VariantPath::read(input).map(Self::Path);
        }
        let negative = input.parse::<Option<Token![-]>>()?.is_some();
        Ok(Self::Literal {
            negative,
            lit: input.parse()?,
        })
    }
}

impl Value for ConsistencyWord {
    const WHAT: &'static str = "`strict`, `eventual` or `bounded(\"2s\")`";

    fn example(_: &str) -> String {
        String::from("consistency = strict")
    }

    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let word = Ident::parse_any(input)?;
        let bound = if input.is_empty() {
            None
        } else {
            let inside;
            parenthesized!(inside in input);
            Some(inside.parse()?)
        };
        Ok(Self { word, bound })
    }
}
