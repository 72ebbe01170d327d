//! Every mistake is reported in one run.
#[derive(tollgate::Caller)]
#[caller(extarct = own)]
#[caller]
struct Admin<'a> {
    #[caller(skip)]
    user: &'a str,
    other: u8,
}

fn main() {}
