//! Finds the file that defines what a path names.

use std::path::Path;

use super::tree::{Import, Names, Tree};

/// How many re-exports are followed, one to the next. More would be a name that stands for itself, as another
/// crate's does.
const LONGEST: usize = 8;

impl Tree {
    /// The file of what `import`, in the module `at`, leads to; `None` where that is another crate, or a
    /// facade.
    pub(super) fn file_of(&self, at: &[String], import: &Import) -> Option<&Path> {
        let module = self.from(at, &import.path, LONGEST)?;
        let file = self.modules.get(&module)?.file.as_path();
        (!self.facades.contains(file)).then_some(file)
    }

    /// The module that defines what `path` names in the module `at`.
    fn from(&self, at: &[String], path: &[String], left: usize) -> Option<Names> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.below(&[], rest, left),
            "self" | "super" => self.below(at, path, left),
            _ if self.knows(at, first) => self.below(at, path, left),
            _ => None,
        }
    }

    /// The module that defines what `path` names, seen from the module `at`. What is not known is taken to be
    /// defined there.
    fn below(&self, at: &[String], path: &[String], left: usize) -> Option<Names> {
        let Some((first, rest)) = path.split_first() else { return Some(at.to_vec()) };
        if first == "self" {
            return self.below(at, rest, left);
        }
        if first == "super" {
            return self.below(at.split_last()?.1, rest, left);
        }
        let child = [at, std::slice::from_ref(first)].concat();
        if self.modules.contains_key(&child) {
            return self.below(&child, rest, left);
        }
        let module = self.modules.get(at)?;
        if let Some(alias) = module.aliases.get(first).filter(|_| left > 0) {
            let found = self.from(at, &[alias, rest].concat(), left - 1);
            return found.or_else(|| Some(at.to_vec()));
        }
        for glob in module.globs.iter().filter(|_| left > 0) {
            if let Some(whole) = self.from(at, glob, left - 1).filter(|whole| self.knows(whole, first)) {
                return self.below(&whole, path, left - 1);
            }
        }
        Some(at.to_vec())
    }

    /// Whether the module `at` has something of that name.
    fn knows(&self, at: &[String], name: &String) -> bool {
        let is_child = self.modules.contains_key(&[at, std::slice::from_ref(name)].concat());
        let module = self.modules.get(at);
        is_child || module.is_some_and(|it| it.aliases.contains_key(name) || it.items.contains(name))
    }
}
