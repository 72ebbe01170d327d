//! The cases of `fail/` make `docs/reference/mistakes.md`, and keep the promises that the page
//! makes of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// The folders of `fail/` in the order of the page, with what stands above each.
const SECTIONS: [(&str, &str, &str); 9] = [
    (
        "claims",
        "Claims of a token",
        "`#[derive(JwtClaims)]`, `#[claims(…)]`, `#[claim(…)]`",
    ),
    (
        "value",
        "Roles and scopes",
        "`#[derive(ClaimValue)]`, `#[claim_value(…)]`",
    ),
    ("policy", "Policies", "`#[derive(Policy)]`, `#[policy(…)]`"),
    (
        "backend",
        "Backends",
        "`#[auth_backend(…)]`, `Authenticate`, `Refresh`",
    ),
    (
        "state",
        "Gates in a state",
        "`#[derive(GateState)]`, `#[gate(…)]`",
    ),
    (
        "gate",
        "Building and using a gate",
        "The builder and the types of the runtime",
    ),
    (
        "handler",
        "Callers in handlers",
        "`Auth` in a handler, and the router around it",
    ),
    (
        "caller",
        "Callers with a name",
        "`#[derive(Caller)]`, `#[caller(…)]`",
    ),
    (
        "protected",
        "Protected routers",
        "`ProtectedRouter`, and the handlers it takes",
    ),
];

/// Cases that hold many mistakes on purpose.
const MANY: [&str; 3] = [
    "all_errors_at_once",
    "mistake_does_not_spread",
    "nothing_given",
];

const MACROS: [&str; 6] = ["claims", "value", "policy", "backend", "state", "caller"];

/// The body that rustc gives to what is missing.
const EMPTY: &str = concat!("{ to", "do!() }");

/// A case: its source, and what rustc says of it.
struct Case {
    folder: String,
    name: String,
    lines: usize,
    /// The first sentence.
    title: String,
    /// The sentences after it: how to read what only rustc or axum can word.
    reading: String,
    code: String,
    errors: Vec<Error>,
}

/// One error of rustc.
#[derive(PartialEq)]
struct Error {
    headline: String,
    label: Option<String>,
    remarks: Vec<String>,
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fail");
    let mut cases = Vec::new();
    for (folder, ..) in SECTIONS {
        let mut files: Vec<_> = std::fs::read_dir(root.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
        files.sort();
        for file in files {
            let source = std::fs::read_to_string(&file).unwrap();
            let says = std::fs::read_to_string(file.with_extension("stderr")).unwrap_or_default();
            cases.push(Case::read(
                folder,
                file.file_stem().unwrap().to_str().unwrap(),
                &source,
                &says,
            ));
        }
    }
    cases
}

impl Case {
    fn read(folder: &str, name: &str, source: &str, says: &str) -> Self {
        let words: Vec<&str> = source
            .lines()
            .map_while(|line| line.strip_prefix("//! "))
            .collect();
        let code: Vec<&str> = source.lines().skip(words.len()).collect();
        let code = code
            .join("\n")
            .replace("\n\nfn main() {}", "")
            .replace("\nfn main() {}", "");
        let mut errors: Vec<Error> = Vec::new();
        for block in says
            .split("\n\n")
            .filter(|block| block.starts_with("error"))
        {
            let error = Error::read(block);
            if !errors.contains(&error) {
                errors.push(error);
            }
        }
        Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
            lines: source.lines().count(),
            title: words
                .first()
                .copied()
                .unwrap_or_default()
                .trim_end_matches('.')
                .to_owned(),
            reading: words.get(1..).unwrap_or_default().join(" "),
            code: code.trim().to_owned(),
            errors,
        }
    }

    /// Returns whether the row of the table says all that the compiler says.
    fn is_told_in_a_row(&self) -> bool {
        let says_more = |error: &Error| error.label.is_some() || !error.remarks.is_empty();
        self.errors.len() == 1 && !self.errors.iter().any(says_more) && self.reading.is_empty()
    }

    fn shown(&self) -> String {
        format!("{}/{}", self.folder, self.name)
    }

    /// Returns the anchor of its heading; the second one of a title gets a number.
    fn anchor(&self, seen: &mut BTreeMap<String, usize>) -> String {
        let kept = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let plain: String = self
            .title
            .to_lowercase()
            .chars()
            .filter(|c| kept(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let count = seen.entry(plain.clone()).or_default();
        *count += 1;
        if *count == 1 {
            plain
        } else {
            format!("{plain}-{}", *count - 1)
        }
    }
}

impl Error {
    fn read(block: &str) -> Self {
        let lines: Vec<&str> = block.lines().collect();
        let label = lines.iter().find_map(|line| {
            line.split_once("^ ")
                .filter(|(before, label)| before.contains('|') && !label.starts_with('-'))
        });
        let remarks = lines.iter().filter_map(|line| {
            let line = line.trim_start().trim_start_matches("= ");
            let ours = line.starts_with("note: ")
                && !line.starts_with("note: required")
                && !line.starts_with("note: this error originates");
            let help = [
                "help: there is",
                "help: consider",
                "help: change",
                "help: you might",
                "help: implement the missing",
            ];
            (ours || help.iter().any(|help| line.starts_with(help)))
                .then(|| line.replace(EMPTY, "{ … }"))
        });
        Self {
            headline: lines[0].to_owned(),
            label: label.map(|(_, label)| label.to_owned()),
            remarks: remarks
                .filter(|remark| !remark.starts_with("help: consider manually implementing"))
                .collect(),
        }
    }

    /// Returns the message, without `error[E0277]: `.
    fn message(&self) -> &str {
        self.headline
            .split_once(": ")
            .map_or("", |(_, message)| message)
    }

    /// Returns whether the words are those of rustc.
    fn is_worded_by_rustc(&self) -> bool {
        let generic = [
            "the trait bound",
            "doesn't implement",
            "cannot be sent",
            "cannot be shared",
            "is not a future",
        ];
        self.headline.starts_with("error[")
            && (!self.headline.starts_with("error[E0277]")
                || generic.iter().any(|words| self.message().contains(words)))
    }
}

/// The page.
fn page(cases: &[Case]) -> String {
    let mut out = format!(
        "# Mistakes\n\nThis page lists {} mistakes that do not compile, with the message of the \
         compiler. A message says where the mistake is, what is wrong, and what to write instead. \
         If a message has a note, or if rustc or axum words it, the code and an explanation follow \
         the table. Search the page for the words of your message.\n\nThe page is made from \
         `ui-tests/fail`: `BLESS=1 cargo test -p tollgate-ui-tests --test mistakes` writes it. It \
         leaves out the code that a message points at.\n",
        cases.len()
    );
    let mut anchors = BTreeMap::new();
    let mut of_section: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in cases {
        of_section.entry(&case.folder).or_default().push(case);
    }
    for (folder, title, about) in SECTIONS {
        let cases = of_section.remove(folder).unwrap_or_default();
        write!(
            out,
            "\n## {title}\n\n{about}: {} mistakes.\n\n| mistake | the first message of the \
             compiler |\n|---|---|\n",
            cases.len()
        )
        .unwrap();
        for case in &cases {
            let title = if case.is_told_in_a_row() {
                case.title.clone()
            } else {
                format!("[{}](#{})", case.title, case.anchor(&mut anchors))
            };
            let message = case
                .errors
                .first()
                .map_or("", Error::message)
                .replace('|', "\\|");
            writeln!(out, "| {title} | {message} |").unwrap();
        }
        for case in cases.iter().filter(|case| !case.is_told_in_a_row()) {
            write!(
                out,
                "\n### {}\n\n```rust,compile_fail\n{}\n```\n\n```text\n",
                case.title, case.code
            )
            .unwrap();
            for error in &case.errors {
                writeln!(out, "{}", error.headline).unwrap();
                for line in error.label.iter().chain(&error.remarks) {
                    writeln!(out, "  {line}").unwrap();
                }
            }
            out.push_str("```\n");
            if !case.reading.is_empty() {
                write!(out, "\n{}\n", case.reading).unwrap();
            }
        }
    }
    out
}

/// `BLESS=1` writes the page.
#[test]
fn the_page_of_mistakes_holds_every_case() {
    let page = page(&cases());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/mistakes.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/reference/mistakes.md is not what fail/ makes of it; BLESS=1 rewrites it"
    );
}

#[test]
fn every_macro_and_trait_has_its_mistakes() {
    let cases = cases();
    assert!(cases.len() >= 80, "{} cases", cases.len());
    for folder in MACROS {
        let of_macro = |name: &str| {
            cases
                .iter()
                .any(|case| case.folder == folder && case.name == name)
        };
        assert!(
            of_macro("all_errors_at_once") && of_macro("mistake_does_not_spread"),
            "{folder}"
        );
    }
    let on_disk = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fail"))
        .unwrap()
        .count();
    assert_eq!(
        on_disk,
        SECTIONS.len(),
        "a folder of fail/ is not on the page"
    );
}

#[test]
fn a_case_is_short_and_says_what_is_wrong() {
    let mut titles: BTreeMap<(String, String), String> = BTreeMap::new();
    for case in cases() {
        assert!(
            case.lines <= 15,
            "{} has {} lines",
            case.shown(),
            case.lines
        );
        assert!(
            !case.title.is_empty() && !case.errors.is_empty(),
            "{}",
            case.shown()
        );
        let before = titles.insert((case.folder.clone(), case.title.clone()), case.name.clone());
        assert!(
            before.is_none() || MANY.contains(&case.name.as_str()),
            "{} and {before:?} have one title",
            case.shown()
        );
    }
}

#[test]
fn a_message_of_ours_has_a_problem_and_a_way_out() {
    for case in cases() {
        for error in case
            .errors
            .iter()
            .filter(|error| !error.is_worded_by_rustc())
        {
            let message = error.message();
            let way_out = message.contains(": ")
                || message.contains("did you mean")
                || error
                    .remarks
                    .iter()
                    .any(|remark| remark.starts_with("note: "));
            assert!(way_out, "{}: {message}", case.shown());
            assert!(
                !message.starts_with(char::is_uppercase) && !message.ends_with('.'),
                "{}: {message}",
                case.shown()
            );
        }
    }
}

#[test]
fn what_only_rustc_can_word_comes_with_the_way_to_read_it() {
    let silent: Vec<String> = cases()
        .into_iter()
        .filter(|case| case.errors.iter().any(Error::is_worded_by_rustc) && case.reading.is_empty())
        .map(|case| format!("{}: {}", case.shown(), case.errors[0].headline))
        .collect();
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

#[test]
fn one_mistake_is_one_message() {
    let several: Vec<String> = cases()
        .into_iter()
        .filter(|case| {
            case.errors.len() > 1 && !MANY.contains(&case.name.as_str()) && case.reading.is_empty()
        })
        .map(|case| format!("{}: {} messages", case.shown(), case.errors.len()))
        .collect();
    assert!(several.is_empty(), "{}", several.join("\n"));
}
