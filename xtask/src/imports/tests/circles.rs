//! What is a circle, and what is none.

use std::path::Path;

use super::{NONE, circles};
use crate::imports::circle::circles_of;
use crate::imports::error::Error;
use crate::imports::read::read;

#[test]
fn two_files_that_import_from_each_other_are_one() {
    let found = circles(&[
        ("src/lib.rs", "pub mod a; pub mod b;"),
        ("src/a.rs", "//! A.\n\nuse crate::b::B;\npub struct A(B);"),
        ("src/b.rs", "pub struct B;\nimpl B { fn a(&self) -> super::a::A { todo!() } }"),
    ]);
    assert_eq!(found, [["src/a.rs:3 imports from src/b.rs", "src/b.rs:2 imports from src/a.rs"]]);
}

#[test]
fn three_files_in_a_round_are_one_and_who_looks_on_is_not_in_it() {
    let found = circles(&[
        ("src/lib.rs", "mod a; mod b; mod c; mod leaf; mod top;"),
        ("src/a.rs", "use crate::b::B; use crate::leaf::Leaf;"),
        ("src/b.rs", "use crate::c::C;"),
        ("src/c.rs", "use crate::a::A;"),
        ("src/leaf.rs", "pub struct Leaf;"),
        ("src/top.rs", "use crate::a::A;"),
    ]);
    assert_eq!(
        found,
        [[
            "src/a.rs:1 imports from src/b.rs",
            "src/b.rs:1 imports from src/c.rs",
            "src/c.rs:1 imports from src/a.rs",
        ]]
    );
}

#[test]
fn circles_apart_from_each_other_are_told_apart() {
    let found = circles(&[
        ("src/lib.rs", "mod a; mod b; mod c; mod d;"),
        ("src/a.rs", "use crate::b::B; use crate::c::C;"),
        ("src/b.rs", "use crate::a::A;"),
        ("src/c.rs", "use crate::d::D;"),
        ("src/d.rs", "use crate::c::C;"),
    ]);
    assert_eq!(found.len(), 2);
}

#[test]
fn a_facade_is_none() {
    let found = circles(&[
        ("src/lib.rs", "pub mod room;"),
        (
            "src/room/mod.rs",
            "//! The room.\nmod chair; mod table;\npub use chair::Chair;\npub(crate) use table::Table;",
        ),
        ("src/room/chair.rs", "use super::Table;\npub struct Chair(Table);"),
        ("src/room/table.rs", "pub struct Table;"),
    ]);
    assert_eq!(found, NONE);
}

#[test]
fn a_facade_hides_none_either() {
    let found = circles(&[
        ("src/lib.rs", "pub mod room;"),
        ("src/room/mod.rs", "mod chair; mod table;\npub use chair::*;\npub use table::Table as Desk;"),
        ("src/room/chair.rs", "use super::Desk;\npub struct Chair(Desk);"),
        ("src/room/table.rs", "pub struct Table(Vec<crate::room::Chair>);"),
    ]);
    assert_eq!(
        found,
        [[
            "src/room/chair.rs:1 imports from src/room/table.rs",
            "src/room/table.rs:1 imports from src/room/chair.rs",
        ]]
    );
}

#[test]
fn a_child_that_imports_from_its_parent_which_imports_from_it_is_one() {
    let found = circles(&[
        ("src/lib.rs", "pub mod room;"),
        (
            "src/room/mod.rs",
            "mod chair;\nuse chair::Chair;\npub struct Room(Chair);\npub const SIZE: u8 = 1;",
        ),
        ("src/room/chair.rs", "use super::SIZE;\npub struct Chair([u8; SIZE as usize]);"),
    ]);
    assert_eq!(
        found,
        [[
            "src/room/chair.rs:1 imports from src/room/mod.rs",
            "src/room/mod.rs:2 imports from src/room/chair.rs",
        ]]
    );
}

#[test]
fn a_child_that_imports_from_a_parent_which_only_declares_it_is_none() {
    let found = circles(&[
        ("src/lib.rs", "pub mod room;"),
        ("src/room/mod.rs", "mod chair;\npub const SIZE: u8 = 1;"),
        ("src/room/chair.rs", "use super::SIZE;"),
    ]);
    assert_eq!(found, NONE);
}

#[test]
fn unit_tests_may_look_at_anything() {
    let found = circles(&[
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a.rs", "use crate::b::B;\n#[cfg(test)]\nmod tests;"),
        (
            "src/b.rs",
            "#[cfg(test)]\nmod tests { use crate::a::A; }\n#[cfg(all(test, unix))]\nfn a() { crate::a::f(); }",
        ),
    ]);
    assert_eq!(found, NONE);
}

#[test]
fn a_module_without_a_file_is_told() {
    let text = |path: &Path| match path.to_str() {
        Some("src/lib.rs") => Ok("//! Nothing.\nmod a;".to_owned()),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    };
    let error = read(Path::new("src/lib.rs"), &text).map(|tree| circles_of(&tree)).unwrap_err();
    assert!(matches!(error, Error::NoModule { .. }));
    assert_eq!(error.to_string(), "src/lib.rs:2: there is no file for the module a");
}
