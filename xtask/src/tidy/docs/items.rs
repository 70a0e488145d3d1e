//! Goes through the public items of a file.

use std::collections::BTreeSet;

use proc_macro2::Span;
use syn::{
    Attribute, Fields, Ident, ImplItem, Item, ItemEnum, ItemImpl, ItemStruct, ItemTrait, TraitItem,
    Visibility,
};

use super::Offence;
use super::doc::Doc;
use super::function::Function;
use super::tokens;
use super::tree::{File, is_public, is_test, type_name};

/// What the documentation of an item lacks that does not begin with a sentence.
pub(super) const NO_SENTENCE: &str = "does not begin with a sentence that ends in a period";
/// What a field or variant lacks.
pub(super) const NO_DOC: &str = "has no documentation";

/// The items of a file, and where to put what they lack.
pub(super) struct Items<'a> {
    file: &'a File,
    /// Types of the crate that implement `Future`.
    futures: &'a BTreeSet<String>,
    offences: &'a mut Vec<Offence>,
}

impl<'a> Items<'a> {
    pub(super) fn new(
        file: &'a File,
        futures: &'a BTreeSet<String>,
        offences: &'a mut Vec<Offence>,
    ) -> Self {
        Self {
            file,
            futures,
            offences,
        }
    }

    pub(super) fn visit(&mut self) {
        let file = self.file;
        if let Some(module) = file.declaration.as_ref().filter(|module| module.is_public) {
            let inner = Doc::of(&file.content.attrs);
            let doc = [&module.doc, &inner]
                .into_iter()
                .find(|doc| !doc.is_empty());
            if !doc.is_some_and(Doc::begins_with_sentence) {
                let item = format!("mod {}", module.name);
                let (path, line) = (&module.path, module.line);
                let offence = Offence::new(path, line, item, NO_SENTENCE);
                self.offences.push(offence);
            }
        }
        self.items(&file.content.items);
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            self.item(item);
        }
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Fn(item) if is_public(&item.vis) => {
                self.function(&Function {
                    attributes: &item.attrs,
                    signature: &item.sig,
                    body: Some(&item.block),
                    of: None,
                });
            }
            Item::Struct(item) if is_public(&item.vis) => self.structure(item),
            Item::Enum(item) if is_public(&item.vis) => self.enumeration(item),
            Item::Trait(item) if is_public(&item.vis) => self.trait_(item),
            Item::Impl(item) if item.trait_.is_none() => self.implementation(item),
            Item::Const(item) => self.plain(&item.vis, &item.attrs, "const", &item.ident),
            Item::Static(item) => self.plain(&item.vis, &item.attrs, "static", &item.ident),
            Item::Type(item) => self.plain(&item.vis, &item.attrs, "type", &item.ident),
            Item::Mod(module) => {
                let Some((_, items)) = &module.content else {
                    return;
                };
                if !is_test(&module.attrs) {
                    self.plain(&module.vis, &module.attrs, "mod", &module.ident);
                    self.items(items);
                }
            }
            // A macro that has a name of its own is declared here, and not called.
            Item::Macro(call) if call.ident.is_none() => {
                for found in tokens::undocumented(call.mac.tokens.clone()) {
                    self.push(found.span, found.item, found.lacks);
                }
            }
            _ => {}
        }
    }

    fn structure(&mut self, item: &ItemStruct) {
        self.sentence(&item.attrs, "struct", &item.ident);
        // The one field of a newtype is what the type is about.
        let is_newtype =
            matches!(&item.fields, Fields::Unnamed(fields) if fields.unnamed.len() == 1);
        if is_newtype {
            return;
        }
        for (place, field) in item.fields.iter().enumerate() {
            if is_public(&field.vis) {
                let name = field.ident.as_ref().map(Ident::to_string);
                let name = name.unwrap_or_else(|| place.to_string());
                let span = field
                    .ident
                    .as_ref()
                    .map_or_else(|| item.ident.span(), Ident::span);
                self.documented(&field.attrs, span, format!("field {}.{name}", item.ident));
            }
        }
    }

    fn enumeration(&mut self, item: &ItemEnum) {
        self.sentence(&item.attrs, "enum", &item.ident);
        for variant in &item.variants {
            let name = format!("{}::{}", item.ident, variant.ident);
            let span = variant.ident.span();
            self.documented(&variant.attrs, span, format!("variant {name}"));
            for field in &variant.fields {
                // Fields without a name are what the variant's documentation is about.
                let Some(ident) = &field.ident else { continue };
                self.documented(&field.attrs, ident.span(), format!("field {name}.{ident}"));
            }
        }
    }

    fn trait_(&mut self, item: &ItemTrait) {
        self.sentence(&item.attrs, "trait", &item.ident);
        for inner in &item.items {
            match inner {
                TraitItem::Const(inner) => self.sentence(&inner.attrs, "const", &inner.ident),
                TraitItem::Type(inner) => self.sentence(&inner.attrs, "type", &inner.ident),
                TraitItem::Fn(inner) => self.function(&Function {
                    attributes: &inner.attrs,
                    signature: &inner.sig,
                    body: inner.default.as_ref(),
                    of: Some(item.ident.to_string()),
                }),
                _ => {}
            }
        }
    }

    fn implementation(&mut self, item: &ItemImpl) {
        if is_test(&item.attrs) {
            return;
        }
        for inner in &item.items {
            match inner {
                ImplItem::Const(inner) => {
                    self.plain(&inner.vis, &inner.attrs, "const", &inner.ident);
                }
                ImplItem::Fn(inner) if is_public(&inner.vis) => self.function(&Function {
                    attributes: &inner.attrs,
                    signature: &inner.sig,
                    body: Some(&inner.block),
                    of: type_name(&item.self_ty),
                }),
                _ => {}
            }
        }
    }

    fn function(&mut self, function: &Function<'_>) {
        if is_test(function.attributes) {
            return;
        }
        for lacks in function.lacks(&self.file.text, self.futures) {
            let span = function.signature.ident.span();
            self.push(span, format!("fn {}", function.name()), lacks);
        }
    }

    /// An item that has to begin with a sentence if it is public.
    fn plain(&mut self, vis: &Visibility, attributes: &[Attribute], kind: &str, name: &Ident) {
        if is_public(vis) && !is_test(attributes) {
            self.sentence(attributes, kind, name);
        }
    }

    fn sentence(&mut self, attributes: &[Attribute], kind: &str, name: &Ident) {
        if !Doc::of(attributes).begins_with_sentence() {
            self.push(name.span(), format!("{kind} {name}"), NO_SENTENCE);
        }
    }

    fn documented(&mut self, attributes: &[Attribute], span: Span, item: String) {
        if Doc::of(attributes).is_empty() {
            self.push(span, item, NO_DOC);
        }
    }

    fn push(&mut self, span: Span, item: String, lacks: &'static str) {
        let line = span.start().line;
        let offence = Offence::new(&self.file.path, line, item, lacks);
        self.offences.push(offence);
    }
}
