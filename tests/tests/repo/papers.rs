//! The pages check themselves: requirements and tests name each other, links lead somewhere, and
//! settings, codes and rows that a page or a comment names exist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tollgate::error::Code;
use tollgate::settings::Settings;

use super::{files, read, root, shown, sources};

const REQUIREMENTS: &str = "docs/reference/requirements.md";
const ROTATION: &str = "docs/reference/rotation.md";
const SETTINGS: &str = "docs/reference/settings.md";

/// The pages that people read, and not those that only list changes.
fn pages() -> Vec<PathBuf> {
    files(&root())
        .into_iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "md"))
        .filter(|path| !path.ends_with("runtime/README.md"))
        .collect()
}

/// Returns the text without its fenced blocks, line by line; a line of a block is empty.
fn prose(text: &str) -> Vec<&str> {
    let mut is_code = false;
    text.lines()
        .map(|line| {
            if line.trim_start().starts_with("```") {
                is_code = !is_code;
                return "";
            }
            if is_code { "" } else { line }
        })
        .collect()
}

/// Returns what stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

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

/// Comments cite requirements as `R65`, and rotation.md by `section 3` and `row 7b`.
#[test]
fn what_comments_cite_is_in_the_repository() {
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
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the anchors of a page's headings, as code hosts make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in prose(text) {
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let anchor: String = heading
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || "_- ".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let mut name = anchor.clone();
        for more in 1.. {
            if found.insert(name.clone()) {
                break;
            }
            name = format!("{anchor}-{more}");
        }
    }
    found
}

/// Returns the targets of the links in a page, code left out.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text) {
        let plain: String = line.split('`').step_by(2).collect();
        for (at, _) in plain.match_indices("](") {
            let rest = &plain[at + 2..];
            let end = rest.find([')', ' ']).unwrap_or(rest.len());
            found.push(rest[..end].to_owned());
        }
        if plain.starts_with('[')
            && let Some((_, target)) = plain.split_once("]: ")
        {
            found.push(target.trim().to_owned());
        }
    }
    found
}

/// Links of the pages that rustdoc shows may name an item, which rustdoc checks.
#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let (mut wrong, mut inside) = (Vec::new(), 0);
    for path in pages() {
        let text = read(&path);
        let by_rustdoc = path.starts_with(root().join("runtime/src"));
        for link in links(&text) {
            let is_item = by_rustdoc && !link.split('#').next().unwrap().ends_with(".md");
            if link.contains("://") || link.starts_with("mailto:") || is_item {
                continue;
            }
            inside += 1;
            let (target, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let file = match target {
                "" => path.clone(),
                target => path.parent().unwrap().join(target),
            };
            if !file.exists() {
                wrong.push(format!("{}: {link}: there is no such file", shown(&path)));
            } else if !anchor.is_empty() && !anchors(&read(&file)).contains(anchor) {
                wrong.push(format!(
                    "{}: {link}: there is no such heading",
                    shown(&path)
                ));
            }
        }
    }
    println!("{inside} links inside the repository");
    assert!(inside > 40, "the reader of links finds only {inside}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the names of all settings, from the list that the code makes.
fn settings() -> BTreeSet<String> {
    let table = read(&root().join("runtime/src/settings/table.md"));
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| line.split('`').nth(1).unwrap().to_owned())
        .collect()
}

/// Returns the setting that a quoted text names: `access.ttl` of `access.ttl = "5m"`, and of
/// `TOLLGATE_ACCESS__TTL`; `None` where it names something else.
fn setting_of(quote: &str, sections: &BTreeSet<&str>) -> Option<String> {
    if let Some(variable) = quote.strip_prefix("TOLLGATE_") {
        let end = variable.find(|c: char| !(c.is_ascii_uppercase() || c == '_'));
        let name = &variable[..end.unwrap_or(variable.len())];
        let is_special = name == "CONFIG" || name.starts_with("REALMS__") || name.is_empty();
        return (!is_special).then(|| name.to_lowercase().replace("__", "."));
    }
    let name = quote.split([' ', '=']).next().unwrap();
    let (section, rest) = name.split_once('.')?;
    let is_name = rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && !rest.is_empty();
    let is_file = ["md", "rs", "toml", "json", "ts", "js", "sql", "db"].contains(&rest);
    (sections.contains(section) && is_name && !is_file).then(|| name.to_owned())
}

#[test]
fn settings_that_a_page_names_exist() {
    let settings = settings();
    let sections: BTreeSet<&str> = settings
        .iter()
        .filter_map(|name| name.split_once('.'))
        .map(|(section, _)| section)
        .collect();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for path in pages() {
        let text = read(&path);
        for line in prose(&text) {
            for name in quoted(line).filter_map(|quote| setting_of(quote, &sections)) {
                count += 1;
                if !settings.contains(&name) {
                    wrong.push(format!("{}: `{name}` is no setting", shown(&path)));
                }
            }
        }
        for block in text.split("```toml\n").skip(1) {
            let block = block.split("```").next().unwrap();
            // A manifest is TOML too.
            if ["[dependencies]", "[package]", "[features]"]
                .iter()
                .any(|word| block.contains(word))
            {
                continue;
            }
            count += 1;
            if let Err(error) = Settings::from_sources(Some(("the page", block)), []) {
                wrong.push(format!("{}: {error}:\n{block}", shown(&path)));
            }
        }
    }
    assert!(count > 100, "the reader of settings finds only {count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the tables of settings.md, one for each section, from the table that rustdoc shows.
fn settings_tables() -> String {
    let table = read(&root().join("runtime/src/settings/table.md"));
    let (mut page, mut current) = (String::new(), None);
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let name = row.split('`').nth(1).unwrap();
        // A name without a dot stands with those before it.
        let section = name.split_once('.').map(|(section, _)| section);
        let section = if name == "registry" {
            Some("registry")
        } else {
            section
        };
        let starts = match (current, section) {
            (None, _) => true,
            (Some(_), None) => current != Some("general"),
            (Some(known), Some(section)) => known != section,
        };
        if starts {
            let title = section.unwrap_or("general");
            page += &format!("\n## {title}\n\n| setting | default | what it is |\n|---|---|---|\n");
            current = Some(title);
        }
        page += row;
        page.push('\n');
    }
    page.push('\n');
    page
}

#[test]
fn the_page_of_settings_is_the_list_of_the_code() {
    let path = root().join(SETTINGS);
    let page = read(&path);
    let (head, rest) = page
        .split_once("<!-- settings: ")
        .expect("where the tables begin");
    let (mark, rest) = rest.split_once("-->\n").expect("the end of the mark");
    let (_, tail) = rest
        .split_once("<!-- end of settings -->")
        .expect("where they end");
    let made = format!(
        "{head}<!-- settings: {mark}-->\n{}<!-- end of settings -->{tail}",
        settings_tables()
    );
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    assert!(read(&path) == made, "{}: BLESS=1 rewrites it", shown(&path));
}

#[test]
fn the_page_of_problems_has_every_code() {
    let page = read(&root().join("docs/reference/problems.md"));
    let (_, table) = page.split_once("\n## Codes\n").unwrap();
    let table = table.split("\n## ").next().unwrap();
    let rows: Vec<(&str, &str)> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let status = line.split('|').nth(2).unwrap().trim();
            (line.split('`').nth(1).unwrap(), status)
        })
        .collect();
    let codes: Vec<(&str, String)> = Code::ALL
        .iter()
        .map(|code| (code.as_str(), code.status().to_string()))
        .collect();
    let codes: Vec<(&str, &str)> = codes
        .iter()
        .map(|(code, status)| (*code, &**status))
        .collect();
    assert_eq!(rows, codes);
}

/// The readers of this file see what they must.
#[test]
fn the_readers_of_pages_see_what_they_must() {
    assert_eq!(cited(" R65, R7b and `rR1`; R41 to R45: XR9"), [65, 41, 45]);
    assert_eq!(
        links("a [b](c.md#d) `[x](y)` [e](f.md)"),
        ["c.md#d", "f.md"]
    );
    assert!(links("```\n[a](b)\n```").is_empty());
    let known = anchors("# One two\n## `A.b`: c?\n## One two\n```\n# not\n```\n");
    let expected = ["ab-c", "one-two", "one-two-1"].map(str::to_owned);
    assert_eq!(known, BTreeSet::from(expected));
    let sections = BTreeSet::from(["access"]);
    let of = |quote| setting_of(quote, &sections);
    assert_eq!(of("access.ttl = \"5m\"").as_deref(), Some("access.ttl"));
    assert_eq!(of("TOLLGATE_ACCESS__TTL=5m").as_deref(), Some("access.ttl"));
    for other in [
        "access.rs",
        "gate.ttl",
        "access.ttl(…)",
        "TOLLGATE_CONFIG",
        "access",
    ] {
        assert_eq!(of(other), None, "{other}");
    }
    assert!(Path::new(REQUIREMENTS).is_relative());
}
