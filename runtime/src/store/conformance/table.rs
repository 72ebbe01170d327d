//! The clauses of all groups as one table.

use super::broken::Broken;
use super::clause::Clause;
use super::{
    apart, archive, ask, attach, confirm, device, end, epoch, list, log, mark, once, open, page,
    race, realm, registry, replace, revoke, rotate, seen, session, slide, spend, stamp, start,
    target, wake,
};

/// All clauses, in the order of their numbers.
pub const CLAUSES: &[Clause] = &joined();

const GROUPS: [&[Clause]; 28] = [
    start::CLAUSES,
    open::CLAUSES,
    device::CLAUSES,
    session::CLAUSES,
    rotate::CLAUSES,
    race::CLAUSES,
    confirm::CLAUSES,
    revoke::CLAUSES,
    target::CLAUSES,
    epoch::CLAUSES,
    registry::CLAUSES,
    log::CLAUSES,
    archive::CLAUSES,
    once::CLAUSES,
    spend::CLAUSES,
    attach::CLAUSES,
    stamp::CLAUSES,
    page::CLAUSES,
    wake::CLAUSES,
    realm::CLAUSES,
    ask::CLAUSES,
    apart::CLAUSES,
    end::CLAUSES,
    mark::CLAUSES,
    slide::CLAUSES,
    list::CLAUSES,
    seen::CLAUSES,
    replace::CLAUSES,
];

const COUNT: usize = {
    let (mut count, mut groups) = (0, GROUPS.as_slice());
    while let Some((group, others)) = groups.split_first() {
        count += group.len();
        groups = others;
    }
    count
};

/// The groups as one table.
const fn joined() -> [Clause; COUNT] {
    let mut table = [BLANK; COUNT];
    let (mut places, mut groups) = (table.as_mut_slice(), GROUPS.as_slice());
    while let Some((group, others)) = groups.split_first() {
        let mut group = *group;
        while let Some((clause, rest)) = group.split_first() {
            let Some((place, free)) = places.split_first_mut() else {
                return table;
            };
            *place = *clause;
            group = rest;
            places = free;
        }
        groups = others;
    }
    table
}

/// The initial value of the table's entries, before the clauses are written into it.
const BLANK: Clause = Clause {
    number: 0,
    operation: "",
    name: "",
    what: "",
    check: |_| Box::pin(std::future::ready(Err(Broken::new("")))),
};
