//! Papers and code name each other: requirements their tests, comments and pages what they cite.

use std::collections::{BTreeMap, BTreeSet};

use super::pages::{pages, prose, quoted};
use super::{read, root, shown, sources};

const REQUIREMENTS: &str = "docs/reference/requirements.md";
const ROTATION: &str = "docs/reference/rotation.md";

/// Returns the digits that a text begins with, as a number.
fn number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text[..end.unwrap_or(text.len())].parse().ok()
}

/// Returns the numbers that follow `R` in a comment: `R65`, `R41 to R45` gives both.
fn cited(comment: &str) -> Vec<u32> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    comment
        .match_indices('R')
        .filter(|(at, _)| !comment[..*at].ends_with(is_word))
        .filter_map(|(at, _)| {
            let rest = &comment[at + 1..];
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let is_whole = !rest[digits..].starts_with(is_word);
            number(&rest[..digits]).filter(|_| is_whole)
        })
        .collect()
}

/// Returns the requirements by their number, each with its whole text.
fn requirements() -> BTreeMap<u32, String> {
    let page = read(&root().join(REQUIREMENTS));
    let mut found = BTreeMap::new();
    for item in page.split("\n- **R").skip(1) {
        let item = item.split("\n\n").next().unwrap();
        let (name, text) = item.split_once("** ").expect("a number in bold");
        let name: u32 = name.parse().expect(name);
        let twice = found.insert(name, text.to_owned());
        assert!(twice.is_none(), "R{name} stands twice in {REQUIREMENTS}");
    }
    let numbers: Vec<u32> = found.keys().copied().collect();
    let all: Vec<u32> = (1..=numbers.len())
        .map(|n| u32::try_from(n).unwrap())
        .collect();
    assert_eq!(numbers, all, "the numbers have no gap");
    found
}

/// Returns the names of all functions that are tests, or that a macro makes tests of.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in sources(&root()) {
        let is_test = |text: &str| text.contains("test]") || text.contains("proptest!");
        let text = read(&path);
        if !is_test(&text) && !path.starts_with(root().join("tests/tests")) {
            continue;
        }
        found.extend(text.match_indices("fn ").map(|(at, _)| {
            let rest = &text[at + 3..];
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            rest[..end.unwrap_or(0)].to_owned()
        }));
    }
    found
}

#[test]
fn requirements_and_tests_name_each_other() {
    let (requirements, tests) = (requirements(), tests());
    let (mut wrong, mut held) = (Vec::new(), 0);
    for (number, text) in &requirements {
        let Some((_, named)) = text.split_once("Tests: ") else {
            if !text.contains("No test: ") {
                wrong.push(format!("R{number} names no test and does not say why"));
            }
            continue;
        };
        held += 1;
        let mut count = 0;
        for name in quoted(named) {
            let exists = if name.contains('/') {
                root().join(name).is_file()
            } else if name.contains('_') {
                tests.contains(name)
            } else {
                continue;
            };
            count += 1;
            if !exists {
                wrong.push(format!("R{number} names `{name}`, which does not exist"));
            }
        }
        if count == 0 {
            wrong.push(format!("R{number} names no test after `Tests:`"));
        }
    }
    for name in &tests {
        let mut parts = name.split('_');
        while let Some(number) = parts.next().and_then(|part| part.strip_prefix('r')) {
            match number.parse() {
                Ok(number) if requirements.contains_key(&number) => {}
                Ok(number) => wrong.push(format!("`{name}`: there is no R{number}")),
                Err(_) => break,
            }
        }
    }
    let without: Vec<String> = requirements
        .iter()
        .filter(|(_, text)| !text.contains("Tests: "))
        .map(|(number, _)| format!("R{number}"))
        .collect();
    println!(
        "{held} of {} requirements name a test; without: {}",
        requirements.len(),
        without.join(", ")
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the rows of the table of rotation.md, and the numbers of its sections.
fn rows_and_sections() -> (BTreeSet<String>, BTreeSet<u32>) {
    let page = read(&root().join(ROTATION));
    let cell = |line: &str| line.split('|').nth(1).map(|cell| cell.trim().to_owned());
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| "))
        .filter_map(cell)
        .filter(|name| number(name).is_some())
        .collect();
    let sections = page
        .lines()
        .filter_map(|line| number(line.strip_prefix("## ")?))
        .collect();
    (rows, sections)
}

/// Comments and pages cite requirements as `R65`; comments cite rotation.md by `section 3` and
/// `row 7b`.
#[test]
fn what_comments_and_pages_cite_is_in_the_repository() {
    let (requirements, (rows, sections)) = (requirements(), rows_and_sections());
    assert!(rows.contains("7b") && rows.len() == 10, "{rows:?}");
    assert_eq!(sections.len(), 8);
    // In pieces, so that this file does not cite them itself.
    let former = [
        ["ROTAT", "ION"],
        ["REQUIRE", "MENTS"],
        ["DES", "IGN"],
        ["REA", "LMS"],
    ]
    .map(|parts| format!("{} ", parts.concat()));
    let mut wrong = Vec::new();
    for path in sources(&root()) {
        let is_bench = path.starts_with(root().join("benches"));
        for (at, line) in read(&path).lines().enumerate() {
            let Some((_, comment)) = line.split_once("//") else {
                continue;
            };
            let mut report = |what: String| {
                wrong.push(format!("{}:{}: {what}", shown(&path), at + 1));
            };
            for number in cited(comment) {
                if !requirements.contains_key(&number) {
                    report(format!("there is no R{number}"));
                }
            }
            for name in &former {
                for (found, _) in comment.match_indices(name.as_str()) {
                    if comment[found + name.len()..].starts_with(|c: char| c.is_ascii_digit()) {
                        report(format!("`{name}` is no page of this repository"));
                    }
                }
            }
            if let Some((_, section)) = comment.split_once("rotation.md section ")
                && !number(section).is_some_and(|section| sections.contains(&section))
            {
                report(format!("rotation.md has no section {section}"));
            }
            for word in ["row ", "rows "] {
                for (found, _) in comment.match_indices(word).filter(|_| !is_bench) {
                    let row: String = comment[found + word.len()..]
                        .chars()
                        .take_while(char::is_ascii_alphanumeric)
                        .collect();
                    if number(&row).is_some() && !rows.contains(&row) {
                        report(format!("rotation.md has no row {row}"));
                    }
                }
            }
        }
    }
    for path in pages() {
        for (at, line) in prose(&read(&path)).into_iter().enumerate() {
            for number in cited(line)
                .into_iter()
                .filter(|n| !requirements.contains_key(n))
            {
                let page = shown(&path);
                wrong.push(format!("{page}:{}: there is no R{number}", at + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The reader of citations sees what it must.
#[test]
fn the_reader_of_citations_sees_what_it_must() {
    assert_eq!(cited(" R65, R7b and `rR1`; R41 to R45: XR9"), [65, 41, 45]);
}
