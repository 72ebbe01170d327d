//! The pages check themselves: links lead somewhere, and settings, codes and pages that a page names
//! exist.

use std::collections::BTreeSet;
use std::path::PathBuf;

use tollgate::error::Code;
use tollgate::settings::Settings;

use super::{files, read, root, shown};

const SETTINGS: &str = "docs/reference/settings.md";

/// Returns all pages of the repository, the crate's page once.
pub(super) fn pages() -> Vec<PathBuf> {
    files(&root())
        .into_iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "md"))
        .filter(|path| !path.ends_with("runtime/README.md"))
        .collect()
}

/// Returns the text without its fenced blocks, line by line; a line of a block is empty.
pub(super) fn prose(text: &str) -> Vec<&str> {
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
pub(super) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
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
    // The changelog may be about a setting that is gone.
    for path in pages()
        .into_iter()
        .filter(|path| !path.ends_with("CHANGELOG.md"))
    {
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

/// The book has every page as a chapter, once, and no chapter without its page.
#[test]
fn the_chapters_of_the_book_are_the_pages() {
    let docs = root().join("docs");
    let mut chapters = links(&read(&docs.join("SUMMARY.md")));
    let mut expected: Vec<String> = files(&docs)
        .iter()
        .map(|path| path.strip_prefix(&docs).unwrap().display().to_string())
        .filter(|name| name.ends_with(".md") && name != "SUMMARY.md")
        .collect();
    chapters.sort();
    expected.sort();
    assert!(expected.len() > 30, "{expected:?}");
    assert_eq!(chapters, expected);
}

/// The book and `tollgate::guide` have no other files, so pages link only to each other.
#[test]
fn pages_link_to_pages_alone_and_each_is_a_module_of_the_documentation() {
    let (docs, mut wrong) = (root().join("docs"), Vec::new());
    let modules = read(&root().join("runtime/src/guide.rs"));
    for path in files(&docs) {
        let name = path.strip_prefix(&docs).unwrap().display().to_string();
        if !name.ends_with(".md") {
            continue;
        }
        for link in links(&read(&path)) {
            let depth = name.matches('/').count();
            if link.starts_with(&"../".repeat(depth + 1)) || link.contains("SUMMARY.md") {
                wrong.push(format!("docs/{name} links to {link}, outside of the book"));
            }
        }
        if let Some((_, file)) = name.split_once('/') {
            let module = file.trim_end_matches(".md").replace('-', "_");
            if !modules.contains(&format!("{module} = \"docs/{name}\",")) {
                wrong.push(format!("runtime/src/guide.rs lacks docs/{name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Pages are found from `docs/README.md`, and the code of the guide is compiled.
#[test]
fn every_page_is_in_the_index_and_the_code_of_the_guide_is_compiled() {
    let (docs, mut wrong) = (root().join("docs"), Vec::new());
    let index = links(&read(&docs.join("README.md")));
    // The snippets of browsers.md stand in the test of the layers, line for line.
    let compiled = ["tests/src/guide.rs", "tests/tests/api/layers.rs"]
        .map(|file| read(&root().join(file)))
        .concat();
    for path in files(&docs) {
        let name = path.strip_prefix(&docs).unwrap().display().to_string();
        let is_list = ["README.md", "SUMMARY.md"].contains(&&*name);
        if !is_list && name.ends_with(".md") && !index.contains(&name) {
            wrong.push(format!("docs/README.md does not name {name}"));
        }
        let has_code = name.starts_with("guide/") && read(&path).contains("```rust");
        if has_code && !compiled.contains(&format!("docs/{name}\"")) {
            wrong.push(format!("no test compiles the code of {name}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the words that stand behind each place of a mark.
fn words_behind<'a>(text: &'a str, mark: &'a str) -> impl Iterator<Item = &'a str> {
    let words = text.match_indices(mark).map(move |(at, mark)| {
        let rest = &text[at + mark.len()..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_/".contains(c)));
        &rest[..end.unwrap_or(rest.len())]
    });
    words.filter(|word| !word.is_empty())
}

/// Commands of a page name packages, test binaries and scripts that exist.
#[test]
fn what_the_commands_of_a_page_name_exists() {
    let manifests: String = files(&root())
        .iter()
        .filter(|path| path.ends_with("Cargo.toml"))
        .map(|path| read(path))
        .collect();
    let is_file = |path: String| root().join(path).is_file();
    let has_binary = |name: &str| {
        ["tests", "ui-tests"].iter().any(|folder| {
            is_file(format!("{folder}/tests/{name}.rs"))
                || is_file(format!("{folder}/tests/{name}/main.rs"))
        })
    };
    let (mut wrong, mut count) = (Vec::new(), 0);
    for path in pages()
        .into_iter()
        .filter(|path| !path.ends_with("CHANGELOG.md"))
    {
        let text = read(&path);
        let mut report = |what: &str, name: &str, exists: bool| {
            count += 1;
            if !exists {
                wrong.push(format!("{}: there is no {what} `{name}`", shown(&path)));
            }
        };
        for line in text.lines().filter(|line| line.contains("cargo ")) {
            for name in words_behind(line, " -p ") {
                let exists = manifests.contains(&format!("name = \"{name}\"\n"));
                report("package", name, exists);
            }
            for name in words_behind(line, " --test ") {
                report("test binary", name, has_binary(name));
            }
        }
        for name in words_behind(&text, "scripts/") {
            report("script", name, root().join("scripts").join(name).exists());
        }
    }
    assert!(count > 40, "the reader of commands finds only {count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the page about flows shows is what the tests run.
#[test]
fn the_code_of_the_flows_is_that_of_the_program() {
    let page = read(&root().join("docs/guide/flows.md"));
    let program = read(&root().join("tests/src/flows.rs"));
    let blocks = page
        .split("```")
        .filter_map(|part| part.strip_prefix("rust\n"));
    let items: Vec<&str> = blocks
        .flat_map(|block| block.trim().split("\n\n"))
        .filter(|item| !item.starts_with("use "))
        .collect();
    assert!(items.len() >= 15, "{}", items.len());
    for item in items {
        assert!(program.contains(item), "{item}");
    }
}

/// The readers of this file see what they must.
#[test]
fn the_readers_of_pages_see_what_they_must() {
    assert_eq!(
        links("a [b](c.md#d) `[x](y)` [e](f.md)"),
        ["c.md#d", "f.md"]
    );
    assert!(links("```\n[a](b)\n```").is_empty());
    let found: Vec<&str> = words_behind("a -p b; c -p d-e f -p", " -p ").collect();
    assert_eq!(found, ["b", "d-e"]);
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
}

/// A version of another crate that the README names is the one that the library has.
#[test]
fn the_versions_in_the_readme_are_those_of_the_workspace() {
    let readme = read(&root().join("README.md"));
    let workspace = read(&root().join("Cargo.toml"));
    let (_, table) = readme.split_once("## Versions of other crates").unwrap();
    let rows: Vec<(&str, &str)> = table
        .lines()
        .skip_while(|line| !line.starts_with("|--"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let mut columns = line.split('|').skip(1).map(str::trim);
            let name = columns.next().unwrap().split([' ', ',']).next().unwrap();
            (name, columns.next().unwrap())
        })
        .collect();
    assert!(rows.len() > 4, "{rows:?}");
    for (name, version) in rows {
        let line = workspace
            .lines()
            .find(|line| {
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with(" = "))
            })
            .unwrap_or_else(|| panic!("the workspace has no {name}"));
        let has = line.split('"').nth(1).unwrap();
        let same = has.strip_prefix(version);
        let is_same = same.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        assert!(
            is_same,
            "the README says {name} {version}, the workspace has {has}"
        );
    }
}

/// Returns how many crates a build of the library needs, without those of its tests.
fn crates(options: &[&str]) -> usize {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = std::process::Command::new(cargo)
        .args(["tree", "--offline", "--package", "tollgate"])
        .args(["--color", "never"])
        .args(["--no-default-features", "--edges", "normal,build"])
        .args(["--prefix", "none", "--format", "{p}"])
        .args(options)
        .current_dir(root())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let said = String::from_utf8(output.stdout).unwrap();
    let names = said.lines().map(|line| line.trim_end_matches(" (*)"));
    names.collect::<BTreeSet<&str>>().len()
}

/// The third column of the README's features is what cargo counts, and so are the sums under it.
#[test]
fn the_features_need_as_many_crates_as_the_readme_says() {
    let readme = read(&root().join("README.md"));
    let (_, rest) = readme.split_once("\n## Features\n").unwrap();
    let (table, rest) = rest.split_once("The third column").unwrap();
    let none = crates(&[]);
    let mut wrong = Vec::new();
    let mut rows = 0;
    for row in table.lines().filter_map(|line| line.strip_prefix("| `")) {
        let (feature, columns) = row.split_once('`').unwrap();
        let said = columns.split('|').nth(2).unwrap().trim();
        let counted = crates(&["--features", feature]) - none;
        rows += 1;
        if said != counted.to_string() {
            wrong.push(format!("`{feature}` adds {counted}, and not {said}"));
        }
    }
    assert!(rows > 15, "{table}");
    let all = crates(&["--all-features"]);
    let sums = [
        format!("Without features the crate needs {none};"),
        format!("all of them together are {all}."),
    ];
    wrong.extend(sums.into_iter().filter(|sum| !rest.contains(sum)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
