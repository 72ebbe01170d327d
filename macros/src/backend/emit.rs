//! From the model of a backend to Rust. Decides nothing.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Type, Visibility};

use super::model::{BackendModel, LoginBody, Renewal, RouteOverrides, RouteWords};
use crate::path::{Krate, asked, located};

/// Returns the impl of `AuthBackend`, and `gate()`.
pub(crate) fn emit(model: &BackendModel) -> TokenStream {
    let BackendModel {
        krate,
        vis,
        name,
        generics,
        kind,
        ..
    } = model;
    let login = body(krate, &model.login);
    let (entry, renewal) = markers(model);
    let shape = shape(krate, &model.shape);
    let (params, args, clause) = generics.split_for_impl();
    let gate = gate(krate, vis);
    // rustc reports a type that is less visible than the backend where it is declared.
    let user = declared("User", &model.user, &user(model));
    let login = match &model.login {
        LoginBody::Own(ty) => declared("Login", ty, &login),
        LoginBody::Email | LoginBody::Username | LoginBody::Guard => quote!(type Login = #login;),
    };
    let lints = &model.lints;
    quote! {
        #[automatically_derived]
        #[allow(clippy::needless_update)]
        #(#lints)*
        impl #params #krate::AuthBackend for #name #args #clause {
            #user
            #login
            type Entry = #entry;
            type Renewal = #renewal;
            const KIND: &'static ::core::primitive::str = #kind;
            const ROUTES: #krate::RouteConfig = #shape;
        }
        #(#lints)*
        impl #params #name #args #clause { #gate }
    }
}

/// Returns an associated type at the place where its type is written.
fn declared(name: &str, written: &Type, ty: &TokenStream) -> TokenStream {
    let here = located(written.span());
    let name = Ident::new(name, here);
    quote_spanned!(here=> type #name = #ty;)
}

/// Returns the user type, asked for its claims here alone. A number in a type cannot depend on a
/// parameter, so the user type of a backend with parameters is asked wherever it is used.
fn user(model: &BackendModel) -> TokenStream {
    let user = &model.user;
    if model.generics.params.is_empty() {
        asked(&model.krate, "has_claims", user)
    } else {
        user.to_token_stream()
    }
}

/// Returns the type of the body of a sign-in.
pub(super) fn body(krate: &Krate, login: &LoginBody) -> TokenStream {
    match login {
        LoginBody::Email => quote!(#krate::EmailLogin),
        LoginBody::Username => quote!(#krate::UsernameLogin),
        LoginBody::Guard => quote!(#krate::GuardLogin),
        LoginBody::Own(ty) => ty.to_token_stream(),
    }
}

/// Returns the types of `Entry` and `Renewal`, at the struct's name, where rustc then says that
/// `Authenticate`, `Exchange`, `Answer` or `Refresh` is missing.
fn markers(model: &BackendModel) -> (TokenStream, TokenStream) {
    let here = located(model.name.span());
    let at = model.krate.at(here);
    let renewal = match model.renewal {
        Renewal::Reload => quote_spanned!(here=> #at::Reload),
        Renewal::Stored => quote_spanned!(here=> #at::FromStored),
        Renewal::Never => quote_spanned!(here=> #at::NoRefresh),
    };
    let entry = match model.login {
        LoginBody::Guard => quote_spanned!(here=> #at::Exchanged),
        LoginBody::Email | LoginBody::Username | LoginBody::Own(_) => {
            quote_spanned!(here=> #at::Own)
        }
    };
    let entry = match &model.answer {
        Some(answer) => quote_spanned!(here=> #at::Answering<#entry, #answer>),
        None => entry,
    };
    (entry, renewal)
}

/// Returns `gate()`.
pub(super) fn gate(krate: &Krate, vis: &Visibility) -> TokenStream {
    quote! {
        /// Starts the gate of this backend: the builder asks for what has no safe default.
        #[must_use = "a gate opens nothing until it is built"]
        #vis fn gate(self) -> #krate::GateBuilder<Self> {
            #krate::GateBuilder::new(self)
        }
    }
}

fn shape(krate: &Krate, shape: &RouteOverrides) -> TokenStream {
    let RouteOverrides {
        prefix,
        tag,
        openapi,
        access_token,
        refresh_token,
        disabled,
        ..
    } = shape;
    let routes = shape.routes.iter().map(|(name, words)| {
        let name = format_ident!("{name:?}");
        let options = options(krate, words);
        quote!((#krate::AuthRoute::#name, #options))
    });
    let members: Vec<TokenStream> = [
        prefix.as_ref().map(|prefix| quote!(prefix: #prefix)),
        tag.as_ref().map(|tag| quote!(tag: #tag)),
        openapi.map(|openapi| quote!(openapi: #openapi)),
        (!shape.routes.is_empty()).then(|| quote!(routes: &[#(#routes),*])),
        access_token
            .as_ref()
            .map(|name| quote!(access_token: #name)),
        refresh_token
            .as_ref()
            .map(|name| quote!(refresh_token: #name)),
        (!disabled.is_empty()).then(|| {
            let routes = disabled.iter().map(|route| format_ident!("{route:?}"));
            quote!(disabled: &[#(#krate::AuthRoute::#routes),*])
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    quote! {
        #krate::RouteConfig {
            #(#members,)*
            ..#krate::routes!()
        }
    }
}

/// Returns the path and words of a route.
fn options(krate: &Krate, words: &RouteWords) -> TokenStream {
    let RouteWords {
        path,
        summary,
        description,
    } = words;
    let path = path.as_ref().map(|path| quote!(.path(#path)));
    let summary = summary.as_ref().map(|text| quote!(.summary(#text)));
    let description = description.as_ref().map(|text| quote!(.description(#text)));
    quote!(#krate::RouteOptions::NONE #path #summary #description)
}
