//! The repository checks itself: arrows, doors, words and promises that no compiler sees.

#[path = "repo/pages.rs"]
mod pages;
#[path = "repo/papers.rs"]
mod papers;
#[path = "repo/workflows.rs"]
mod workflows;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules in front of the layers of `DESIGN.md`: those that only users and expansions name.
const TOP: &[&str] = &[
    "__private",
    "prelude",
    "expansion",
    "bin",
    "cli",
    "testing",
    "guide",
];

/// The layers of the runtime as `DESIGN.md` draws them, the highest first. A module names only
/// those below its own.
struct Layers {
    rows: Vec<Vec<String>>,
    /// Modules of different layers that do not know each other all the same.
    strangers: Vec<(String, String)>,
}

impl Layers {
    /// Reads the drawing and the sentence about strangers below the heading "Layers".
    fn read() -> Self {
        let design = read(&root().join("DESIGN.md"));
        let (_, section) = design.split_once("## Layers").expect("a section on layers");
        let section = section.split("\n## ").next().unwrap();
        let drawing = section.split("```").nth(1).expect("a drawing");
        let words = |text: &str, by: char| -> Vec<String> {
            text.split(by)
                .map(|word| word.trim().to_owned())
                .filter(|word| !word.is_empty())
                .collect()
        };
        let rows: Vec<Vec<String>> = words(drawing, '→')
            .iter()
            .map(|row| words(row, '|'))
            .collect();
        assert!(rows.len() > 5, "the drawing has too few layers: {rows:?}");
        let strangers = section
            .split(['.', ';'])
            .filter(|sentence| sentence.contains("strangers"))
            .filter_map(|sentence| {
                let mut quoted = sentence.split('`').skip(1).step_by(2);
                Some((quoted.next()?.to_owned(), quoted.next()?.to_owned()))
            })
            .collect();
        Self { rows, strangers }
    }

    /// Returns how far below the top a module is.
    fn depth(&self, module: &str) -> Option<usize> {
        if TOP.contains(&module) {
            return Some(0);
        }
        let row = |row: &Vec<String>| row.iter().any(|known| known == module);
        self.rows.iter().position(row).map(|at| at + 1)
    }

    /// Returns whether the one module may name the other. The modules of the lowest layer may name
    /// each other: they are the ground.
    fn may_name(&self, from: &str, to: &str) -> bool {
        let is_pair = |(one, two): &(String, String)| {
            (one.as_str(), two.as_str()) == (from, to) || (two.as_str(), one.as_str()) == (from, to)
        };
        let (Some(above), Some(below)) = (self.depth(from), self.depth(to)) else {
            return false;
        };
        let is_ground = above == below && above == self.rows.len();
        !self.strangers.iter().any(is_pair) && (above < below || is_ground)
    }
}

/// The only module that names axum and http.
const WEB: &[&str] = &["http"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below a folder that belong to the repository, links left out.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        let name = entry.file_name().into_string().unwrap();
        if kind.is_dir()
            && ![
                ".git",
                "target",
                "quickstart-data",
                "cluster-data",
                "accounts-data",
                "pages-data",
                "two-kinds-data",
                "node_modules",
                "book",
            ]
            .contains(&name.as_str())
        {
            found.extend(files(&path));
        } else if kind.is_file() && name != ".git" {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    files(folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// The code of a source with line numbers: comments and documentation left out, which may point
/// anywhere.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.split("//").next().unwrap_or_default()))
}

/// The module path of a source of the runtime: `session/refresh.rs` is `[session, refresh]`,
/// `gate/mod.rs` is `[gate]`.
fn module(path: &Path) -> Vec<String> {
    let inner = path
        .strip_prefix(root().join("runtime/src"))
        .unwrap()
        .with_extension("");
    let mut parts: Vec<String> = inner
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if parts
        .last()
        .is_some_and(|last| last == "mod" || last == "lib")
    {
        parts.pop();
    }
    parts
}

/// The modules of the runtime that a piece of its code names, through `crate` or enough `super`s.
fn named<'a>(module: &[String], code: &'a str) -> Vec<&'a str> {
    let mut found = Vec::new();
    for root in ["crate::".to_owned(), "super::".repeat(module.len().max(1))] {
        for (at, _) in code.match_indices(&root) {
            let before = &code[..at];
            let longer = before.ends_with("super::")
                || before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
            if !longer || before.ends_with('$') {
                found.extend(heads(&code[at + root.len()..]));
            }
        }
    }
    found
}

/// The first words of what follows `crate::`: one, or those of a group in braces.
fn heads(rest: &str) -> Vec<&str> {
    let Some(group) = rest.strip_prefix('{') else {
        return vec![head(rest)];
    };
    let (mut depth, mut start, mut found) = (0_usize, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.push(head(group[start..at].trim_start()));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found.retain(|word| !word.is_empty());
    found
}

fn head(text: &str) -> &str {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .next()
        .unwrap_or_default()
}

#[test]
fn arrows_point_down_inside_the_runtime() {
    let (layers, mut wrong) = (Layers::read(), Vec::new());
    for path in sources(&root().join("runtime/src")) {
        let module = module(&path);
        let Some(from) = module.first() else { continue };
        assert!(
            layers.depth(from).is_some(),
            "{} is in no layer: name it in DESIGN.md",
            shown(&path)
        );
        let text = read(&path);
        let code: String = code(&text).map(|(_, line)| format!("{line}\n")).collect();
        let names: BTreeSet<&str> = named(&module, &code).into_iter().collect();
        for to in names
            .into_iter()
            .filter(|to| layers.depth(to).is_some() && to != from)
            // Two names of one module: the second is the one that expansions see.
            .filter(|to| (from.as_str(), *to) != ("expansion", "__private"))
        {
            if !layers.may_name(from, to) {
                wrong.push(format!("{}: `{from}` names `{to}`", shown(&path)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_reader_of_paths_sees_what_it_must() {
    let module = |path: &[&str]| path.iter().map(|&part| part.to_owned()).collect::<Vec<_>>();
    for (at, code, expected) in [
        (&["gate"][..], "use crate::store::Store;", &["store"][..]),
        (
            &["gate"],
            "use crate::{clock::Clock, token::{self, JwtClaims}, id};",
            &["clock", "token", "id"],
        ),
        (
            &["gate"],
            "use crate::{\n    clock::Clock,\n    id::SessionId,\n};",
            &["clock", "id"],
        ),
        (
            &["gate"],
            "fn f(s: crate::store::Store) -> super::token::T {}",
            &["store", "token"],
        ),
        (
            &["gate", "builder"],
            "use super::Gate; use super::super::store::Store;",
            &["store"],
        ),
        (&["store"], "$crate::gate::Gate", &["gate"]),
        (&["store"], "use my_crate::gate::Gate;", &[]),
    ] {
        assert_eq!(named(&module(at), code), expected, "{code}");
    }
    let layers = Layers::read();
    assert!(layers.may_name("gate", "store") && layers.may_name("secret", "error"));
    for (from, to) in [
        ("store", "gate"),
        ("store", "token"),
        ("token", "store"),
        ("session", "guard"),
        ("flow", "http"),
    ] {
        assert!(!layers.may_name(from, to), "`{from}` may not name `{to}`");
    }
}

/// Handlers and extractors ask the gate and its flows; they do not reach into the engine. The
/// command line has one of its own, without a gate around it.
#[test]
fn nothing_outside_gate_and_flow_reaches_the_engine() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("runtime/src")) {
        let module = module(&path);
        let may = ["gate", "flow", "session", "cli"];
        if module
            .first()
            .is_some_and(|first| may.contains(&first.as_str()))
        {
            continue;
        }
        for (number, line) in code(&read(&path)) {
            if line.contains(".engine") || line.contains("session::Engine") {
                wrong.push(format!("{}:{number}: {}", shown(&path), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Lines of the runtime, in modules other than these, that name one of these crates.
fn lines_naming(crates: &[&str], but_not_in: impl Fn(&[String]) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for path in sources(&root().join("runtime/src")) {
        if but_not_in(&module(&path)) {
            continue;
        }
        for (number, line) in code(&read(&path)) {
            let named = crates.iter().any(|name| {
                [
                    format!("{name}::"),
                    format!("use {name};"),
                    format!("extern crate {name}"),
                ]
                .iter()
                .any(|use_| {
                    line.match_indices(use_.as_str()).any(|(at, _)| {
                        !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                    })
                })
            });
            if named {
                found.push(format!("{}:{number}: {}", shown(&path), line.trim()));
            }
        }
    }
    found
}

/// The macro reads names and paths of the routes without the runtime: both lists are one.
#[test]
fn the_macro_knows_the_routes_of_the_table() {
    let source = |path: &str| read(&root().join(path));
    let arms = |text: &str, function: &str| -> BTreeMap<String, String> {
        let (_, body) = text.split_once(&format!("fn {function}(self)")).unwrap();
        let body = body.split("\n    }\n").next().unwrap();
        let arms = body.lines().filter_map(|line| line.split_once(" => \""));
        arms.map(|(route, rest)| {
            let route = route.trim().trim_start_matches("Self::").to_owned();
            (route, rest.trim_end_matches("\",").to_owned())
        })
        .collect()
    };
    let model = source("macros/src/backend/model.rs");
    let routes = source("runtime/src/gate/backend/routes.rs");
    let (names, paths) = (arms(&model, "name"), arms(&model, "default_path"));
    assert_eq!(names, arms(&routes, "name"));
    assert_eq!(paths, arms(&routes, "usual_path"));
    assert_eq!((names.len(), paths.len()), (13, 13));
    let table = source("runtime/src/http/routes.rs");
    let rows = table.split("at: At::Route(AuthRoute::").skip(1);
    let in_table: BTreeSet<_> = rows.map(|row| row.split(')').next().unwrap()).collect();
    assert_eq!(in_table, names.keys().map(String::as_str).collect());
}

#[test]
fn only_the_web_modules_name_axum_and_http() {
    let wrong = lines_naming(
        &[
            "axum",
            "axum_core",
            "http",
            "http_body",
            "http_body_util",
            "tower",
            "tower_layer",
            "tower_service",
        ],
        |module| {
            module
                .first()
                .is_some_and(|first| WEB.contains(&first.as_str()))
        },
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_stores_name_their_databases() {
    let wrong = lines_naming(&["rusqlite", "sqlx", "redis"], |module| {
        (module.len() > 1 && module[0] == "store") || module == ["expansion", "sql"]
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_mistake_has_its_message_and_every_message_its_mistake() {
    let mut wrong = Vec::new();
    for path in files(&root().join("ui-tests")) {
        let in_fail = path.iter().any(|part| part == "fail");
        let partner = match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs") if in_fail => path.with_extension("stderr"),
            Some("stderr") => path.with_extension("rs"),
            _ => continue,
        };
        if !partner.is_file() {
            wrong.push(format!("{} has no {}", shown(&path), shown(&partner)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_feature_is_on_the_crates_page() {
    let manifest = read(&root().join("runtime/Cargo.toml"));
    let section = manifest
        .split("[features]\n")
        .nth(1)
        .unwrap()
        .split("\n[")
        .next()
        .unwrap();
    let features: Vec<&str> = section
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name)
        .collect();
    assert!(features.contains(&"macros"), "{features:?}");
    let readme = read(&root().join("README.md"));
    let table = readme
        .split("\n## Features\n")
        .nth(1)
        .unwrap()
        .split("\n## ")
        .next()
        .unwrap();
    for feature in features.iter().filter(|feature| **feature != "default") {
        assert!(
            table.contains(&format!("| `{feature}` |")),
            "`{feature}` is not in the README's table of features"
        );
    }
    for row in table.lines().filter_map(|line| line.strip_prefix("| `")) {
        let feature = row.split('`').next().unwrap();
        assert!(
            features.contains(&feature),
            "the README's table has `{feature}`, which is no feature"
        );
    }
}

#[test]
fn every_source_begins_with_a_sentence_about_itself() {
    let silent: Vec<String> = sources(&root())
        .into_iter()
        .filter(|path| {
            let text = read(path);
            let is_page = text.starts_with("#![cfg_attr(") && text.contains("doc = include_str!");
            !(text.starts_with("//! ") || text.starts_with("#![doc = include_str!") || is_page)
        })
        .map(|path| shown(&path))
        .collect();
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

#[test]
fn the_two_commands_of_the_readme_exist() {
    let readme = read(&root().join("README.md"));
    assert!(readme.contains("\n```sh\ncargo run -p quickstart\n```\n"));
    assert!(
        read(&root().join("examples/quickstart/Cargo.toml")).contains("\nname = \"quickstart\"\n")
    );
    let command = readme
        .split("<!-- ci: test -->\n")
        .nth(1)
        .unwrap()
        .split("```sh\n")
        .nth(1)
        .unwrap()
        .split("\n```")
        .next()
        .unwrap();
    let script = root().join(command);
    assert!(script.is_file(), "{}", script.display());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for script in [script, root().join(".ci/run"), root().join("scripts/deep")] {
            assert_eq!(
                fs::metadata(&script).unwrap().permissions().mode() & 0o111,
                0o111,
                "{}",
                script.display()
            );
        }
    }
}

/// A block of the README that says `<!-- from: path -->` stands in that file, line for line.
#[test]
fn the_readme_agrees_with_the_files_it_quotes() {
    let lines = |text: &str| {
        text.lines()
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
    };
    let readme = read(&root().join("README.md"));
    for quote in readme.split("<!-- from: ").skip(1) {
        let (path, rest) = quote.split_once(" -->").unwrap();
        let block = rest
            .split("```")
            .nth(1)
            .unwrap()
            .split_once('\n')
            .unwrap()
            .1;
        let (file, block) = (lines(&read(&root().join(path))), lines(block));
        assert!(
            !block.is_empty() && file.windows(block.len()).any(|window| window == block),
            "README and {path} differ"
        );
    }
}

/// Compares the code of the README with the quickstart, where its items are in several files.
#[test]
fn the_code_in_the_readme_is_that_of_the_quickstart() {
    let plain = |text: &str| -> String {
        let code = text.lines().filter(|line| !line.trim().starts_with("//"));
        let code = code.collect::<String>().replace("pub(crate) ", "");
        code.split_whitespace().collect()
    };
    let readme = read(&root().join("README.md"));
    let (_, heart) = readme.split_once("The central part, from").unwrap();
    let heart = heart.split("```").nth(1).unwrap();
    let (_, heart) = heart.split_once('\n').unwrap();
    let sources = root().join("examples/quickstart/src");
    let sources = ["accounts.rs", "main.rs"].map(|name| plain(&read(&sources.join(name))));
    let items: Vec<&str> = heart.split("\n\n").map(str::trim).collect();
    assert!(items.len() > 6, "{heart}");
    for item in items.into_iter().filter(|item| !item.starts_with("use ")) {
        assert!(
            sources.iter().any(|source| source.contains(&plain(item))),
            "the quickstart has another form of:\n{item}"
        );
    }
}

#[test]
fn no_file_holds_a_leftover_or_the_path_of_a_machine() {
    // In pieces, so that this file does not hold them itself.
    let leftovers = [
        ["TO", "DO"],
        ["FIX", "ME"],
        ["to", "do!("],
        ["unimpl", "emented!("],
        ["#[ig", "nore"],
    ]
    .map(|parts| parts.concat());
    let machines = [
        ["/ho", "me/"],
        ["/ro", "ot/"],
        ["/wo", "rk/"],
        ["/Us", "ers/"],
        ["C:", "\\Users"],
    ]
    .map(|parts| parts.concat());
    let mut wrong = Vec::new();
    for path in files(&root()) {
        // Messages of rustc propose bodies with such words. Swagger UI is as it is published.
        let is_recorded = path.extension().is_some_and(|kind| kind == "stderr")
            || path.ends_with("docs/reference/mistakes.md")
            || path.ends_with("swagger-ui-bundle.js");
        let Some(text) = fs::read_to_string(&path).ok().filter(|_| !is_recorded) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            let inside = |word: &String| {
                // A path begins where no other path goes on, as that of an address would.
                line.match_indices(word.as_str()).any(|(at, _)| {
                    !word.starts_with('/')
                        || !line[..at]
                            .ends_with(|c: char| c.is_alphanumeric() || ".-_~$".contains(c))
                })
            };
            if let Some(word) = leftovers.iter().chain(&machines).find(|word| inside(word)) {
                wrong.push(format!("{}:{}: {word}", shown(&path), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The folders that the examples fill hold keys and secrets.
#[test]
fn the_folders_that_the_examples_fill_are_not_committed() {
    let ignored = read(&root().join(".gitignore"));
    let own = read(&root().join("tests/tests/repo.rs"));
    let mut found = 0;
    for source in sources(&root().join("examples")) {
        let text = read(&source);
        for (at, _) in text.match_indices("\"./") {
            let name = text[at + 3..].split('"').next().unwrap();
            assert!(
                ignored.lines().any(|line| line == format!("/{name}")),
                "{}: `{name}` is not in .gitignore",
                shown(&source)
            );
            assert!(
                own.contains(&format!("\"{name}\",")),
                "{}: `{name}` is not left out by `files`",
                shown(&source)
            );
            found += 1;
        }
    }
    assert!(found >= 5, "{found}");
}

/// A test that leaves something out says so through `skipped` or `left_out`, whose line is shown also
/// where the test passes.
#[test]
fn no_test_says_by_itself_that_it_is_skipped() {
    // In pieces, so that this file does not hold it itself.
    let print = ["println!(\"skip", "ped"].concat();
    let loud: Vec<String> = sources(&root())
        .into_iter()
        .filter(|path| read(path).contains(&print))
        .map(|path| shown(&path))
        .collect();
    assert!(loud.is_empty(), "{}", loud.join("\n"));
}

/// The macros and the gate look for the same names; neither crate can take them from the other.
#[test]
fn the_names_of_secrets_are_the_same_in_both_crates() {
    let names = |path: &str| read(&root().join(path));
    assert_eq!(
        names("macros/src/claims/check/secret_names.rs"),
        names("runtime/src/token/secret_names.rs")
    );
}

/// The page of `JwtClaims` lists every word, and no other.
#[test]
fn the_page_of_claims_lists_the_names_of_secrets() {
    let source = read(&root().join("macros/src/claims/check/secret_names.rs"));
    let page = read(&root().join("runtime/src/docs/claims.md"));
    let words_of = |name: &str| -> BTreeSet<String> {
        let (_, after) = source
            .split_once(&format!("const {name}: [&str; "))
            .unwrap();
        let (list, _) = after.split_once("];").unwrap();
        list.split('"')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    let quoted = |text: &str| -> BTreeSet<String> {
        text.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    let between = |from: &str, to: &str| -> BTreeSet<String> {
        let (_, after) = page.split_once(from).unwrap();
        let (text, _) = after.split_once(to).unwrap();
        quoted(text)
    };
    let mut words = between("| of | words |\n|---|---|\n", ", and every `…_key` but ");
    words.extend(between("| second factors |", "| ends of longer words"));
    assert_eq!(words, words_of("SECRET"));
    assert_eq!(
        between(", and every `…_key` but ", " |\n"),
        words_of("HARMLESS_KEYS")
    );
    assert_eq!(between("as in `clientsecret` |", " |\n"), words_of("ENDS"));
    assert_eq!(between("begins with ", "ends in "), words_of("ASKING"));
    let page = page.replace('\n', " ");
    let (_, after) = page.split_once(" ends in `at`").unwrap();
    let (ends, after) = after.split_once(". The words ").unwrap();
    let mut ends = quoted(ends);
    ends.insert("at".to_owned());
    assert_eq!(ends, words_of("HARMLESS"));
    let (anything, after) = after.split_once(" are exempt beside ").unwrap();
    assert_eq!(quoted(anything), words_of("OF_ANYTHING"));
    let (public, _) = after.split_once('.').unwrap();
    assert_eq!(quoted(public), words_of("PUBLIC"));
}

#[test]
fn what_users_depend_on_forbids_unsafe_code() {
    for library in ["macros/src/lib.rs", "runtime/src/lib.rs"] {
        assert!(
            read(&root().join(library)).contains("#![forbid(unsafe_code)]"),
            "{library}"
        );
    }
}

/// The fuzz targets are built from the sources of the macros, module by module.
#[test]
fn the_fuzz_targets_have_every_module_of_the_macros() {
    let modules = |path: &str| {
        let text = read(&root().join(path));
        let names = text.lines().filter_map(|line| line.strip_prefix("mod "));
        let names = names.map(|name| name.trim_end_matches(';').to_owned());
        names.collect::<BTreeSet<_>>()
    };
    let mut macros = modules("macros/src/lib.rs");
    // The pages of the guide are made of files of the repository.
    assert!(macros.remove("page") && macros.remove("tests"));
    let fuzz = modules("fuzz/src/lib.rs");
    let missing: Vec<_> = macros.difference(&fuzz).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
