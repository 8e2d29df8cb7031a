//! The pages of the documentation that have blocks of Rust: `cargo test` compiles them.

macro_rules! pages {
    ($($name:ident: $page:literal,)*) => {
        $(#[cfg(doctest)] #[doc = include_str!($page)] struct $name;)*
    };
}

pages! {
    Readme: "../../README.md",
    Compose: "../../compose/README.md",
    Interpreters: "../../docs/guides/interpreters.md",
    Wasmtime: "../../docs/guides/wasmtime.md",
}
