//! Where a file may name another.

use super::{NONE, circles};

/// Whether `text`, in `src/a/mod.rs`, imports from `src/b.rs`, or from `src/a/c.rs`, which both import from
/// it.
fn names_another(text: &str) -> bool {
    let found = circles(&[
        ("src/lib.rs", "pub mod a;\npub mod b;\npub mod facade;"),
        ("src/facade/mod.rs", "pub use crate::b;\npub use crate::b::B as Hidden;"),
        ("src/a/mod.rs", &format!("pub mod c;\npub struct A;\n{text}")),
        ("src/a/c.rs", "use super::A;\npub fn f() {}"),
        ("src/b.rs", "use crate::a::A;\npub struct B;\npub fn f() {}"),
    ]);
    !found.is_empty()
}

#[test]
fn a_path_counts_wherever_it_stands() {
    for text in [
        "use crate::b::B;",
        "use crate::{b::{self, B}};",
        "use super::b as other;",
        "pub use self::c::f;",
        "use c::f;",
        "use crate::b::*;",
        "use crate::facade::Hidden;",
        "use crate::facade::b;",
        "use crate::facade;\nfn g() { facade::b::f() }",
        "use super::facade as front;\nconst G: front::Hidden = 1;",
        "fn g() { crate::b::f() }",
        "fn g() { c::f() }",
        "fn g() { use crate::b::f; f() }",
        "fn g(b: Vec<Option<crate::b::B>>) {}",
        "fn g() { format!(\"{}\", crate::b::f()) }",
        "fn g() { vec![vec![c::f()]] }",
        "macro_rules! m { () => { $crate::b::f() }; }",
        "struct S { #[serde(default = \"crate::b::f\")] x: u8 }",
        "impl From<crate::b::B> for A {}",
        "mod inner { use super::super::b::B; }",
        "mod inner { fn g() { super::c::f() } }",
    ] {
        assert!(names_another(text), "{text}");
    }
}

#[test]
fn what_only_looks_like_a_path_into_another_file_does_not_count() {
    for text in [
        "use b::B;",
        "use ::c::f;",
        "fn g() { ::c::f() }",
        "fn g() { m!(::c::f()) }",
        "macro_rules! m { ($c:ident) => { $c::f() }; }",
        "/// See [`f`](crate::b::f).\npub(in crate::a) fn g() { self::h() }\nfn h() {}",
        "fn g() -> &'static str { \"crate::b::f\" }",
        "#[doc(alias = \"b\")]\nfn g() { crate::a::h() }\nfn h() {}",
        "mod inner { fn g() { c::f() } }",
        "use std::fmt;\nimpl fmt::Display for A {}",
    ] {
        assert!(!names_another(text), "{text}");
    }
}

#[test]
fn a_file_may_name_itself() {
    let found = circles(&[
        ("src/lib.rs", "mod a;"),
        ("src/a.rs", "pub fn f() { crate::a::f() }\nmod b { use super::f; }"),
    ]);
    assert_eq!(found, NONE);
}

#[test]
fn a_file_is_found_where_cargo_finds_it() {
    let found = circles(&[
        ("src/lib.rs", "mod a;\n#[path = \"../shared/mod.rs\"]\nmod shared;"),
        ("src/a.rs", "mod b;"),
        ("src/a/b.rs", "use crate::shared::deep::D;"),
        ("shared/mod.rs", "pub mod deep;"),
        ("shared/deep.rs", "use crate::a::b::B;"),
    ]);
    assert_eq!(
        found,
        [["shared/deep.rs:1 imports from src/a/b.rs", "src/a/b.rs:1 imports from shared/deep.rs"]]
    );
}
