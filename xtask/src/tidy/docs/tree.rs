//! The files of a library, as its `mod` lines name them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use syn::{Attribute, Item, ItemMod, Type, Visibility};

use super::doc::Doc;
use crate::tidy::read;

/// A source file of a library.
pub(super) struct File {
    /// From the workspace's root.
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) content: syn::File,
    /// Absent for the root of the crate.
    pub(super) declaration: Option<Declaration>,
}

/// The `mod name;` that names a file.
pub(super) struct Declaration {
    pub(super) path: PathBuf,
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) is_public: bool,
    /// What stands above the line, not what the file begins with.
    pub(super) doc: Doc,
}

impl File {
    /// The file at `entry` and all those that it names, without modules for tests and hidden ones.
    pub(super) fn all_of(entry: &Path, root: &Path) -> anyhow::Result<Vec<Self>> {
        let dir = entry.parent().context("a file lies in a directory")?;
        let mut files = Vec::new();
        load(entry, dir, root, None, &mut files)?;
        Ok(files)
    }

    pub(super) fn parse(
        path: &Path,
        text: String,
        declaration: Option<Declaration>,
    ) -> anyhow::Result<Self> {
        let content = syn::parse_file(&text);
        let content = content.with_context(|| format!("parsing {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            text,
            content,
            declaration,
        })
    }

    /// The names of types that implement `Future`.
    pub(super) fn futures(&self) -> impl Iterator<Item = String> {
        self.content.items.iter().filter_map(|item| {
            let Item::Impl(item) = item else { return None };
            let (path, _) = item.trait_.as_ref()?;
            let is_future = path.segments.last()?.ident == "Future";
            if is_future {
                type_name(&item.self_ty)
            } else {
                None
            }
        })
    }
}

/// The name of a type that is a path.
pub(super) fn type_name(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    Some(path.path.segments.last()?.ident.to_string())
}

pub(super) fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Whether an item is there in tests alone.
pub(super) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_cfg = attribute.path().is_ident("cfg");
        is_cfg
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}

/// Whether an item is left out of the documentation: nobody is meant to call what is in it by hand.
fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_doc = attribute.path().is_ident("doc");
        is_doc
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("hidden"))
    })
}

/// Loads a file whose modules lie in `dir`.
fn load(
    path: &Path,
    dir: &Path,
    root: &Path,
    declaration: Option<Declaration>,
    files: &mut Vec<File>,
) -> anyhow::Result<()> {
    let from_root = path.strip_prefix(root).unwrap_or(path);
    let file = File::parse(from_root, read(path)?, declaration)?;
    let modules = declared(&file.content.items, dir, &file.path);
    files.push(file);
    for (declaration, dir) in modules {
        let name = &declaration.name;
        let flat = dir.with_extension("rs");
        let nested = dir.join("mod.rs");
        let Some(path) = [flat, nested].into_iter().find(|path| path.is_file()) else {
            let path = declaration.path.display();
            bail!("{path}:{}: no file of module {name}", declaration.line);
        };
        load(&path, &dir, root, Some(declaration), files)?;
    }
    Ok(())
}

/// The modules in other files, each with the folder of its own modules.
fn declared(items: &[Item], dir: &Path, path: &Path) -> Vec<(Declaration, PathBuf)> {
    let mut found = Vec::new();
    for item in items {
        let Item::Mod(module) = item else { continue };
        let own = dir.join(module.ident.to_string());
        match &module.content {
            _ if is_test(&module.attrs) || is_hidden(&module.attrs) => {}
            Some((_, items)) => found.extend(declared(items, &own, path)),
            None => found.push((declaration(module, path), own)),
        }
    }
    found
}

fn declaration(module: &ItemMod, path: &Path) -> Declaration {
    Declaration {
        path: path.to_owned(),
        line: module.ident.span().start().line,
        name: module.ident.to_string(),
        is_public: is_public(&module.vis),
        doc: Doc::of(&module.attrs),
    }
}
