//! Links of pages in rustdoc.

use super::link::{between, resolve, rewrite};

#[test]
fn links_lead_to_the_modules_of_the_pages() {
    let guide = "docs/guide/start.md";
    for (from, target, to) in [
        (
            guide,
            "second-factor.md",
            "../../guide/second_factor/index.html",
        ),
        (
            guide,
            "limits.md#sizes",
            "../../guide/limits/index.html#sizes",
        ),
        (
            guide,
            "../reference/settings.md",
            "../../guide/reference/settings/index.html",
        ),
        (guide, "../README.md", "../../guide/index.html"),
        (guide, "../../README.md", "../../index.html"),
        (guide, "#here", "#here"),
        (
            guide,
            "https://example.com/a.md",
            "https://example.com/a.md",
        ),
        (
            "docs/README.md",
            "guide/start.md",
            "../guide/start/index.html",
        ),
        (
            "docs/reference/pages.md",
            "../guide/pages.md",
            "../../../guide/pages/index.html",
        ),
    ] {
        assert_eq!(
            between(from, target).as_deref(),
            Some(to),
            "{from}: {target}"
        );
    }
    for target in [
        "../../DESIGN.md",
        "../../examples/README.md",
        "../SUMMARY.md",
        "pictures/a.svg",
    ] {
        assert_eq!(between(guide, target), None, "{target}");
    }
    assert_eq!(
        resolve(guide, "pictures/a.svg"),
        "docs/guide/pictures/a.svg"
    );
}

#[test]
fn a_link_without_a_place_becomes_its_text_and_code_stays() {
    let text = "[a `b[0]`](x.md) and\n[two\nlines](y.md), ![p](z.svg), [w](no.md)[1]\n\n`[c](x.md)`\n\n\
                ```rust\n#[d](x.md)\n```\n[e](x.md)\n";
    let lead = |target: &str, is_picture: bool| {
        assert_eq!(is_picture, target == "z.svg");
        Ok((target != "no.md").then(|| target.to_uppercase()))
    };
    let expected = "[a `b[0]`](X.MD) and\n[two\nlines](Y.MD), ![p](Z.SVG), w[1]\n\n`[c](x.md)`\n\n\
                    ```rust\n#[d](x.md)\n```\n[e](X.MD)\n";
    assert_eq!(rewrite(text, lead).unwrap(), expected);
}

#[test]
fn a_page_that_is_not_there_is_reported() {
    let error = super::rewrite(std::path::Path::new("/nowhere"), "docs/none.md").unwrap_err();
    assert!(error.starts_with("`docs/none.md`: "), "{error}");
    let error = super::expand(quote::quote!(page)).to_string();
    assert!(error.contains("compile_error"), "{error}");
}
