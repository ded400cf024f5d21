//! What the code of a module names: every path in it that may lead to another file.

use proc_macro2::{Ident, Spacing, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, Item, ItemMod, ItemUse, Lit, Macro, Meta, Path, UseTree, Visibility};

use super::facade::is_test;
use super::tree::{Import, Module, Names};

/// Adds what an item defines and names. Modules within it are passed over.
pub(super) fn add(module: &mut Module, item: &Item) {
    module.items.extend(name(item).map(ToString::to_string));
    Visitor { module }.visit_item(item);
}

/// The name of what an item defines.
fn name(item: &Item) -> Option<&Ident> {
    match item {
        Item::Const(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Macro(item) => item.ident.as_ref(),
        Item::Static(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        _ => None,
    }
}

struct Visitor<'a> {
    module: &'a mut Module,
}

impl Visitor<'_> {
    fn found(&mut self, path: Names, line: usize) {
        self.module.imports.push(Import { path, line });
    }

    /// Takes a tree of `use` apart into paths.
    fn imported(&mut self, before: &[String], tree: &UseTree) {
        let with = |ident: &Ident| [before, &[ident.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.imported(&with(&path.ident), &path.tree),
            UseTree::Name(name) if name.ident == "self" => {
                self.alias(before.last(), before, name.ident.span());
            }
            UseTree::Name(name) => {
                self.alias(Some(&name.ident.to_string()), &with(&name.ident), name.ident.span());
            }
            UseTree::Rename(rename) => {
                let path = if rename.ident == "self" { before.to_vec() } else { with(&rename.ident) };
                self.alias(Some(&rename.rename.to_string()), &path, rename.ident.span());
            }
            UseTree::Glob(glob) => {
                self.module.globs.push(before.to_vec());
                self.found(before.to_vec(), glob.star_token.spans[0].start().line);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.imported(before, tree)),
        }
    }

    fn alias(&mut self, name: Option<&String>, path: &[String], span: proc_macro2::Span) {
        if let Some(name) = name {
            // A `use` within a function comes second, should both bring the same name.
            self.module.aliases.entry(name.clone()).or_insert_with(|| path.to_vec());
        }
        self.found(path.to_vec(), span.start().line);
    }

    /// Paths in what is not parsed: the body of a macro, or what an attribute says.
    fn scan(&mut self, tokens: TokenStream, literals: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        let mut before = None;
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            match first {
                TokenTree::Group(group) => self.scan(group.stream(), literals),
                TokenTree::Literal(literal) if literals => self.quoted(literal),
                TokenTree::Ident(ident) => {
                    let mut path = vec![ident.to_string()];
                    while let Some((next, behind)) = segment(rest) {
                        path.push(next.to_string());
                        rest = behind;
                    }
                    // Behind `$` stands a parameter of the macro, and behind `::` the name of another crate.
                    let free = !matches!(before, Some('$' | ':')) || ident == "crate";
                    if free && path.len() > 1 {
                        self.found(path, ident.span().start().line);
                    }
                }
                TokenTree::Literal(_) | TokenTree::Punct(_) => {}
            }
            before = match first {
                TokenTree::Punct(punct) => Some(punct.as_char()),
                _ => None,
            };
        }
    }

    /// A path in quotation marks, as serde's attributes have them.
    fn quoted(&mut self, literal: &proc_macro2::Literal) {
        let Lit::Str(text) = Lit::new(literal.clone()) else { return };
        if let Ok(path) = text.parse::<Path>() {
            self.path(&path, text.span().start().line);
        }
    }

    fn path(&mut self, path: &Path, line: usize) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            self.found(path.segments.iter().map(|segment| segment.ident.to_string()).collect(), line);
        }
    }
}

/// `::` and a name, and what comes behind it.
fn segment(tokens: &[TokenTree]) -> Option<(&Ident, &[TokenTree])> {
    match tokens {
        [TokenTree::Punct(one), TokenTree::Punct(two), TokenTree::Ident(name), rest @ ..]
            if (one.as_char(), one.spacing(), two.as_char()) == (':', Spacing::Joint, ':') =>
        {
            Some((name, rest))
        }
        _ => None,
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item_use(&mut self, import: &'ast ItemUse) {
        if import.leading_colon.is_none() && !is_test(&import.attrs) {
            self.imported(&[], &import.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let line = path.segments.first().map_or(0, |segment| segment.ident.span().start().line);
        self.path(path, line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        self.scan(call.tokens.clone(), false);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone(), true);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    /// `pub(in crate::…)` says who may look, and looks at nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}
