//! The routes of a backend without options. Their package is that of the application: Cargo says it
//! to the compiler of the place where this expands.

/// The configuration of routes without options.
#[doc(hidden)]
#[macro_export]
macro_rules! __tollgate_routes {
    () => {
        $crate::__private::RouteConfig {
            package: $crate::__private::Package::new(
                ::core::option_env!("CARGO_PKG_NAME"),
                ::core::option_env!("CARGO_PKG_VERSION"),
            ),
            ..$crate::__private::RouteConfig::DEFAULT
        }
    };
}
