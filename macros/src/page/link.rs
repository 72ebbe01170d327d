//! The links of a page: where they stand, and where they lead in rustdoc.

/// Writes each link of a page anew. `lead` gets its target, and whether it is a picture; it returns
/// the new target, or nothing where the link becomes plain text. Code stays as it is.
pub(super) fn rewrite(
    text: &str,
    mut lead: impl FnMut(&str, bool) -> Result<Option<String>, String>,
) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    // The brackets that are open, by their place in `out`.
    let mut open = Vec::new();
    let (mut in_block, mut in_code) = (false, false);
    for line in text.split_inclusive('\n') {
        let start = line.trim_start();
        if start.starts_with("```") {
            in_block = !in_block;
        }
        if in_block || start.starts_with("```") {
            out += line;
            continue;
        }
        if start.is_empty() {
            // Neither code nor a link goes on after a paragraph.
            in_code = false;
            open.clear();
        }
        let mut rest = line;
        while let Some(at) = rest.find(['`', '[', ']']) {
            let (before, from) = rest.split_at(at);
            out += before;
            rest = from.get(1..).unwrap_or_default();
            let target = || rest.strip_prefix('(')?.split_once(')');
            match from.chars().next() {
                Some('`') => in_code = !in_code,
                Some('[') if !in_code => open.push(out.len()),
                Some(']') if !in_code => {
                    let place = open.pop();
                    if let (Some(place), Some((target, after))) = (place, target()) {
                        let is_picture = out.get(..place).is_some_and(|out| out.ends_with('!'));
                        match lead(target, is_picture)? {
                            Some(target) => out += &format!("]({target})"),
                            None => drop(out.remove(place)),
                        }
                        rest = after;
                        continue;
                    }
                }
                _ => {}
            }
            out += from.get(..1).unwrap_or_default();
        }
        out += rest;
    }
    Ok(out)
}

/// Returns where a link leads in the documentation, from the page that has it. Files of the
/// repository that are no pages have no place there.
pub(super) fn between(from: &str, target: &str) -> Option<String> {
    if target.starts_with('#') || target.contains("://") || target.starts_with("mailto:") {
        return Some(target.to_owned());
    }
    let (file, anchor) = match target.split_once('#') {
        Some((file, anchor)) => (file, format!("#{anchor}")),
        None => (target, String::new()),
    };
    let depth = module(from)?.matches('/').count();
    let to = module(&resolve(from, file))?;
    Some(format!("{}{to}index.html{anchor}", "../".repeat(depth)))
}

/// Returns the path in the package of a file that a page names.
pub(super) fn resolve(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Returns the folder, below the crate's, in which rustdoc writes a page.
fn module(page: &str) -> Option<String> {
    let named = |folder: &str, name: &str| {
        let name = name.strip_suffix(".md")?.replace('-', "_");
        Some(format!("{folder}{name}/"))
    };
    match page.strip_prefix("docs/") {
        None if page == "README.md" => Some(String::new()),
        None => None,
        Some("README.md") => Some("guide/".to_owned()),
        Some(page) => match page.split_once('/')? {
            ("guide", name) => named("guide/", name),
            ("reference", name) => named("guide/reference/", name),
            _ => None,
        },
    }
}
