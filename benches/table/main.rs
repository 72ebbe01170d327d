//! Prints the table of targets: what runs in one process and needs no server.
//!
//! ```sh
//! cargo bench -p tollgate-benches --bench table [-- ROW …]
//! ```
//!
//! A row is a group: `verify` (rows 1, 3 and 5), `floor` (2), `foreign` (3), `seen` (4, 4b and 7),
//! `request` (6 and 15), `view` (9), `load` (8 and 18). Without one all of them are printed. The view holds a
//! million entries of every kind; a number sets another size. `TABLE_SVG` names a folder for pictures.

mod floor;
mod foreign;
mod load;
mod request;
mod seen;
mod subject_only;
mod verify;
mod view;

use tollgate_benches::Table;

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let size = arguments.iter().find_map(|text| text.parse().ok());
    let groups: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|text| text.parse::<u32>().is_err())
        .collect();
    let wants = |group: &str| groups.is_empty() || groups.contains(&group);
    let mut table = Table::default();
    if wants("verify") {
        verify::rows(&mut table);
    }
    if wants("floor") {
        subject_only::rows(&mut table);
    }
    if wants("foreign") {
        foreign::rows(&mut table);
    }
    if wants("seen") {
        seen::rows(&mut table);
    }
    if wants("request") {
        request::rows(&mut table);
    }
    if wants("view") {
        view::rows(&mut table, size.unwrap_or(1_000_000));
    }
    if wants("load") {
        load::rows(&mut table);
    }
    table.end();
    if let Some(folder) = std::env::var_os("TABLE_SVG") {
        table.draw(folder.as_ref()).expect("a folder for pictures");
    }
}
