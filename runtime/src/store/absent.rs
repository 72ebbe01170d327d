//! The items that replace the stores whose feature is off: opening one is an error that names the
//! feature.

use std::future::{Ready, ready};

use super::Store;
use crate::error::Error;
use crate::error::absent::Off;

macro_rules! absent {
    ($($feature:literal: $store:ident, $open:ident, $needs:ident;)*) => {$(
        #[cfg(not(feature = $feature))]
        use crate::error::absent::$needs;

        #[cfg(not(feature = $feature))]
        #[doc(hidden)]
        #[derive(Clone, Copy, Debug)]
        pub enum $store {}

        #[cfg(not(feature = $feature))]
        impl $store {
            #[doc(hidden)]
            pub fn $open(_: impl Sized) -> Ready<Result<Self, Error>>
            where
                for<'a> Off: $needs,
            {
                ready(Err(off()))
            }

            #[doc(hidden)]
            pub fn options(_: impl Sized) -> Self
            where
                for<'a> Off: $needs,
            {
                unreachable!("nothing implements the bound")
            }
        }

        #[cfg(not(feature = $feature))]
        impl From<$store> for Store {
            fn from(store: $store) -> Self {
                match store {}
            }
        }
    )*};
}

absent! {
    "sqlite": SqliteStore, open, NeedsSqlite;
    "postgres": PostgresStore, connect, NeedsPostgres;
    "redis": RedisStore, connect, NeedsRedis;
}

fn off() -> Error {
    Error::new(
        crate::error::ErrorKind::Usage,
        "the feature of this store is off",
    )
}
