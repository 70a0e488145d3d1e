//! The state of a track is written where it is declared: each field in the file of its struct, and
//! nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{
    Expr, ExprAssign, ExprReference, ImplItem, ImplItemFn, ItemImpl, ItemStruct, Member, PatStruct,
    ReceiverKind, Type, UnOp, Visibility,
};

use super::Findings;
use super::sources::Source;

/// The folder of the structs that make up a track's state.
const FOLDER: &str = "moq-model/src/track/state";

/// The struct that holds all others. Every file of the folder has methods of it, which leave its
/// fields in place and call theirs.
const WHOLE: &str = "TrackState";

/// Parameters and results: data that is no state, and that anybody may take apart.
const PLAIN: [&str; 9] = [
    "Age", "Batch", "Current", "Cursor", "Due", "Open", "Run", "Shown", "Taken",
];

pub(super) fn check(root: &Path, findings: &mut Findings) -> anyhow::Result<()> {
    let sources = Source::all_in(&root.join(FOLDER), root)?;
    let files = sources.iter().map(|source| {
        let content = syn::parse_file(&source.text);
        Ok(File {
            path: source.path.clone(),
            content: content.with_context(|| format!("parsing {}", source.path.display()))?,
        })
    });
    let files: Vec<File> = files.collect::<anyhow::Result<_>>()?;
    let structs = Structs::of(&files);
    for name in PLAIN.iter().chain([&WHOLE]) {
        if !structs.0.contains_key(*name) {
            findings.fault(format!("{FOLDER} has no struct {name}, which tidy names"));
        }
    }
    for fault in faults(&files, &structs) {
        findings.fault(fault);
    }
    Ok(())
}

/// A file of the folder.
struct File {
    /// From the workspace's root.
    path: PathBuf,
    content: syn::File,
}

/// The structs of the folder, by name.
#[derive(Default)]
struct Structs<'a>(BTreeMap<String, Struct<'a>>);

struct Struct<'a> {
    path: &'a Path,
    fields: BTreeSet<String>,
    /// Fields that other files see, each with its line.
    open: Vec<(String, usize)>,
}

impl<'a> Structs<'a> {
    fn of(files: &'a [File]) -> Self {
        let mut structs = Self::default();
        for file in files {
            let mut found = Found(Vec::new());
            found.visit_file(&file.content);
            for item in found.0 {
                let name = item.ident.to_string();
                structs.0.insert(name, Struct::new(&file.path, item));
            }
        }
        structs
    }
}

impl<'a> Struct<'a> {
    fn new(path: &'a Path, item: &ItemStruct) -> Self {
        let (mut fields, mut open) = (BTreeSet::new(), Vec::new());
        for (place, field) in item.fields.iter().enumerate() {
            let name = field.ident.as_ref().map(ToString::to_string);
            let name = name.unwrap_or_else(|| place.to_string());
            if !matches!(field.vis, Visibility::Inherited) {
                open.push((name.clone(), line(field.span())));
            }
            fields.insert(name);
        }
        Self { path, fields, open }
    }
}

/// Collects structs.
struct Found<'a>(Vec<&'a ItemStruct>);

impl<'a> Visit<'a> for Found<'a> {
    fn visit_item_struct(&mut self, item: &'a ItemStruct) {
        self.0.push(item);
    }
}

/// Fields that other files see, and writes to fields of another file's struct.
fn faults(files: &[File], structs: &Structs<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, found) in &structs.0 {
        let open = found.open.iter().filter(|_| !PLAIN.contains(&&**name));
        for (field, line) in open {
            let path = found.path.display();
            faults.push(format!(
                "{path}:{line}: the field {name}.{field} can be written in other files"
            ));
        }
    }
    for file in files {
        let mut writes = Writes {
            path: &file.path,
            structs,
            whole: None,
            faults: &mut faults,
        };
        writes.visit_file(&file.content);
    }
    faults
}

/// Looks for writes to the structs of other files.
struct Writes<'a> {
    path: &'a Path,
    structs: &'a Structs<'a>,
    /// The struct that holds all others, within its methods.
    whole: Option<&'a Struct<'a>>,
    faults: &'a mut Vec<String>,
}

impl Visit<'_> for Writes<'_> {
    fn visit_item_impl(&mut self, item: &ItemImpl) {
        let name = type_name(&item.self_ty).unwrap_or_default();
        let found = self.structs.0.get(&name);
        let foreign = found.filter(|found| found.path != self.path && !PLAIN.contains(&&*name));
        match foreign {
            Some(whole) if name == WHOLE => {
                self.whole = Some(whole);
                visit::visit_item_impl(self, item);
                self.whole = None;
            }
            Some(_) => {
                for method in item.items.iter().filter_map(writing) {
                    let what = format!("{name}::{} writes to {name}", method.sig.ident);
                    self.push(method.sig.ident.span(), &what);
                }
            }
            None => {}
        }
    }

    fn visit_expr_assign(&mut self, assign: &ExprAssign) {
        match place(&assign.left) {
            Some(Place::Own(field)) => self.field(assign.span(), &field, "written"),
            Some(Place::Whole) if self.whole.is_some() => {
                self.push(assign.span(), &format!("{WHOLE} is written"));
            }
            _ => {}
        }
        visit::visit_expr_assign(self, assign);
    }

    fn visit_expr_reference(&mut self, reference: &ExprReference) {
        if reference.mutability.is_some()
            && let Some(Place::Own(field)) = place(&reference.expr)
        {
            self.field(reference.span(), &field, "lent to be written");
        }
        visit::visit_expr_reference(self, reference);
    }

    fn visit_pat_struct(&mut self, pattern: &PatStruct) {
        let is_whole = pattern.path.is_ident("Self") || pattern.path.is_ident(WHOLE);
        if self.whole.is_some() && is_whole {
            self.push(pattern.span(), &format!("{WHOLE} is taken apart"));
        }
        visit::visit_pat_struct(self, pattern);
    }
}

impl Writes<'_> {
    /// A field of `self`, which is another file's business if `self` holds all others.
    fn field(&mut self, span: Span, field: &str, how: &str) {
        if self.whole.is_some_and(|whole| whole.fields.contains(field)) {
            self.push(span, &format!("{WHOLE}.{field} is {how}"));
        }
    }

    fn push(&mut self, span: Span, what: &str) {
        let (path, line) = (self.path.display(), line(span));
        self.faults.push(format!(
            "{path}:{line}: {what}, which another file declares"
        ));
    }
}

/// What is written to.
enum Place {
    /// This field of `self`.
    Own(String),
    /// `self` as a whole.
    Whole,
}

fn place(target: &Expr) -> Option<Place> {
    match target {
        Expr::Path(path) if path.path.is_ident("self") => Some(Place::Whole),
        Expr::Paren(paren) => place(&paren.expr),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => place(&unary.expr),
        Expr::Field(field) => match (place(&field.base)?, &field.member) {
            (Place::Whole, Member::Named(name)) => Some(Place::Own(name.to_string())),
            // What lies deeper is for the file to write that sees it.
            _ => None,
        },
        _ => None,
    }
}

/// A method that may write to its receiver.
fn writing(item: &ImplItem) -> Option<&ImplItemFn> {
    let ImplItem::Fn(method) = item else {
        return None;
    };
    let receiver = method.sig.receiver()?;
    let is_shared = matches!(receiver.kind, ReceiverKind::Reference(_, _, None));
    (!is_shared).then_some(method)
}

fn type_name(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    Some(path.path.segments.last()?.ident.to_string())
}

fn line(span: Span) -> usize {
    span.start().line
}

#[cfg(test)]
mod tests;
