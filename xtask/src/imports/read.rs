//! Reads a crate, from its root along the modules that are declared.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use syn::spanned::Spanned as _;
use syn::{Expr, Item, ItemMod, Lit, Meta};

use super::error::Error;
use super::facade::{attributes, is_facade, is_test};
use super::syntax;
use super::tree::{Module, Names, Tree};

/// Reads the crate whose root is the file `root`; `text` gives a file's text.
pub(super) fn read(root: &Path, text: &impl Fn(&Path) -> io::Result<String>) -> Result<Tree, Error> {
    let mut reader = Reader { text, tree: Tree::default() };
    let content = (reader.text)(root).map_err(|source| Error::Io { path: root.into(), source })?;
    reader.file(Vec::new(), root, folder(root), &content)?;
    Ok(reader.tree)
}

struct Reader<'a, T> {
    text: &'a T,
    tree: Tree,
}

impl<T: Fn(&Path) -> io::Result<String>> Reader<'_, T> {
    /// Reads a module's file; `below` is where the files of its modules are.
    fn file(&mut self, name: Names, file: &Path, below: &Path, text: &str) -> Result<(), Error> {
        let parsed = syn::parse_file(text).map_err(|source| Error::Syntax { path: file.into(), source })?;
        if is_facade(&parsed.items) {
            self.tree.facades.insert(file.into());
        }
        self.module(name, file, below, &parsed.items)
    }

    fn module(&mut self, name: Names, file: &Path, below: &Path, items: &[Item]) -> Result<(), Error> {
        let mut module = Module { file: file.into(), ..Module::default() };
        for item in items.iter().filter(|item| !is_test(attributes(item))) {
            let Item::Mod(declared) = item else {
                syntax::add(&mut module, item);
                continue;
            };
            let child = declared.ident.to_string();
            let child_name = [name.as_slice(), std::slice::from_ref(&child)].concat();
            match &declared.content {
                Some((_, items)) => self.module(child_name, file, &below.join(child), items)?,
                None => self.declared(child_name, file, below, declared)?,
            }
        }
        self.tree.modules.insert(name, module);
        Ok(())
    }

    /// Finds the file of a module that is declared, and reads it.
    fn declared(&mut self, name: Names, file: &Path, below: &Path, declared: &ItemMod) -> Result<(), Error> {
        let child = declared.ident.to_string();
        let places = match path_of(declared) {
            Some(path) => vec![clean(&folder(file).join(path))],
            None => vec![below.join(format!("{child}.rs")), below.join(&child).join("mod.rs")],
        };
        for place in places {
            let text = match (self.text)(&place) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                read => read.map_err(|source| Error::Io { path: place.clone(), source })?,
            };
            let own = place == below.join(format!("{child}.rs"));
            let below = if own { below.join(&child) } else { folder(&place).to_owned() };
            return self.file(name, &place, &below, &text);
        }
        Err(Error::NoModule { path: file.into(), line: declared.span().start().line, name: child })
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or(file)
}

/// What `#[path = "…"]` says.
fn path_of(module: &ItemMod) -> Option<String> {
    module.attrs.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}

/// Without `..`, so that a file has one path.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        if part.as_os_str() == ".." && clean.pop() {
            continue;
        }
        clean.push(part);
    }
    clean
}
