//! Fuzzing, for tests alone: what is read from strangers is given inputs that begin well and go wrong.
//!
//! Each test tries a bounded number of inputs. `make fuzz MINUTES=…` has each go on for so long. An input
//! that fails is made as small as it gets, and shown.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

/// How many inputs are tried at once.
const CASES: u32 = 2_000;
/// Texts on which something in the program depends.
const WORDS: [&str; 24] = [
    "kw_",
    "$(token)",
    "$(previousToken)",
    "$(keyId)",
    "$(",
    ")",
    "Bearer ",
    "bearer\t",
    "\u{7f}",
    "\u{202e}",
    "\0",
    "\r\n",
    "\n---\n",
    "&a ",
    "*a",
    "<<: ",
    "!!str ",
    "? ",
    "|\n",
    "{\"a\":",
    "[[[[",
    "\"spec\":",
    "%2f",
    "é",
];

/// One thing that goes wrong.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(Index, u8),
    Cut(Index, Index),
    Double(Index, Index),
    Insert(Index, Vec<u8>),
    Word(Index, usize),
    Splice(Index, Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<Index>;
    prop_oneof![
        (index(), any::<u8>()).prop_map(|(at, with)| Mutation::Flip(at, with)),
        (index(), index()).prop_map(|(from, to)| Mutation::Cut(from, to)),
        (index(), index()).prop_map(|(from, to)| Mutation::Double(from, to)),
        (index(), vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (index(), 0..WORDS.len()).prop_map(|(at, word)| Mutation::Word(at, word)),
        (index(), index()).prop_map(|(at, seed)| Mutation::Splice(at, seed)),
    ]
}

fn mutated(mut bytes: Vec<u8>, mutations: Vec<Mutation>, seeds: &[&[u8]]) -> Vec<u8> {
    let place = |at: Index, bytes: &[u8]| at.index(bytes.len() + 1);
    let range = |from: Index, to: Index, bytes: &[u8]| {
        let (from, to) = (place(from, bytes), place(to, bytes));
        from.min(to)..from.max(to)
    };
    for mutation in mutations {
        match mutation {
            Mutation::Flip(at, with) => {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] ^= with;
                }
            }
            Mutation::Cut(from, to) => drop(bytes.drain(range(from, to, &bytes))),
            Mutation::Double(from, to) => {
                let range = range(from, to, &bytes);
                let again = bytes[range.clone()].to_vec();
                bytes.splice(range.end..range.end, again);
            }
            Mutation::Insert(at, new) => {
                let at = place(at, &bytes);
                bytes.splice(at..at, new);
            }
            Mutation::Word(at, word) => {
                let at = place(at, &bytes);
                bytes.splice(at..at, WORDS[word].bytes());
            }
            Mutation::Splice(at, seed) => {
                let at = place(at, &bytes);
                bytes.splice(at.., seeds[seed.index(seeds.len())].iter().copied());
            }
        }
    }
    bytes
}

/// Gives `check` many inputs that are made of `seeds`. It fails by panicking.
pub fn bytes(seeds: &[&[u8]], check: impl Fn(&[u8])) {
    let minutes = std::env::var("FUZZ_MINUTES").ok().and_then(|minutes| minutes.parse::<f64>().ok());
    let end = minutes.map(|minutes| Instant::now() + Duration::from_secs_f64(60.0 * minutes));
    let input = (any::<Index>(), vec(mutation(), 0..12));
    loop {
        let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
        let tried = TestRunner::new(config).run(&input, |(seed, mutations)| {
            let seed = seeds[seed.index(seeds.len())].to_vec();
            check(&mutated(seed, mutations, seeds));
            Ok(())
        });
        if let Err(found) = tried {
            panic!("{found}");
        }
        if end.is_none_or(|end| Instant::now() >= end) {
            return;
        }
    }
}

/// The same with texts: what is no UTF-8 becomes it.
pub fn texts(seeds: &[&str], check: impl Fn(&str)) {
    let seeds: Vec<&[u8]> = seeds.iter().map(|seed| seed.as_bytes()).collect();
    bytes(&seeds, |input| check(&String::from_utf8_lossy(input)));
}

#[test]
fn inputs_begin_well_and_go_wrong() {
    let seen = std::cell::RefCell::new(std::collections::HashSet::new());
    texts(&["one", "two"], |input| {
        seen.borrow_mut().insert(input.to_owned());
    });
    let seen = seen.into_inner();
    assert!(seen.contains("one") && seen.contains("two") && seen.len() > 1000);
    assert!(seen.iter().any(|input| input.contains("kw_") && input.contains("one")));
}

#[test]
#[should_panic(expected = "found")]
fn a_failure_is_told() {
    texts(&["fine"], |input| assert!(!input.contains("kw_"), "found"));
}
