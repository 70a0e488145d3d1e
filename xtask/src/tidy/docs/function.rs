//! What callers of a function have to be told.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, FnArg, Ident, ParenthesizedGenericArguments, PatIdent, PathSegment,
    ReturnType, Signature, TypeFnPtr,
};

use super::doc::Doc;
use super::items::NO_SENTENCE;
use super::panics;

/// A public function, or a function of a public trait.
pub(super) struct Function<'a> {
    pub(super) attributes: &'a [Attribute],
    pub(super) signature: &'a Signature,
    /// Absent where a trait only asks for the function.
    pub(super) body: Option<&'a Block>,
    /// The type or trait that it belongs to.
    pub(super) of: Option<String>,
}

impl Function<'_> {
    /// What the documentation lacks; `text` is the file in which the function stands.
    pub(super) fn lacks(&self, text: &str, futures: &BTreeSet<String>) -> Vec<&'static str> {
        let doc = Doc::of(self.attributes);
        let returns = Returns::of(&self.signature.output);
        let is_poll = self.signature.ident.to_string().starts_with("poll_");
        let can_panic = || {
            let parameters = parameters(self.signature);
            self.body
                .is_some_and(|body| panics::can_panic(body, &parameters, text))
        };
        let mut lacks = Vec::new();
        if !doc.begins_with_sentence() {
            lacks.push(NO_SENTENCE);
        }
        if returns.has("Result") && !doc.has_section("Errors") {
            lacks.push("returns a Result and has no `# Errors`");
        }
        if !is_poll && self.is_future(&returns, futures) && !doc.tells_cancel_safety() {
            lacks.push("can be cancelled and says neither `Cancel safe` nor `Not cancel safe`");
        }
        if !doc.has_section("Panics") && can_panic() {
            lacks.push("can panic and has no `# Panics`");
        }
        lacks
    }

    pub(super) fn name(&self) -> String {
        let name = &self.signature.ident;
        match &self.of {
            Some(of) => format!("{of}::{name}"),
            None => name.to_string(),
        }
    }

    fn is_future(&self, returns: &Returns, futures: &BTreeSet<String>) -> bool {
        let is_own = |name: &String| match (name.as_str(), &self.of) {
            ("Self", Some(of)) => futures.contains(of),
            _ => futures.contains(name) || name.ends_with("Future"),
        };
        self.signature.asyncness.is_some() || returns.names.iter().any(is_own)
    }
}

/// The names in the type that a function returns.
#[derive(Default)]
struct Returns {
    names: BTreeSet<String>,
}

impl Returns {
    fn of(output: &ReturnType) -> Self {
        let mut returns = Self::default();
        returns.visit_return_type(output);
        returns
    }

    fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

impl<'ast> Visit<'ast> for Returns {
    fn visit_path_segment(&mut self, segment: &'ast PathSegment) {
        self.names.insert(segment.ident.to_string());
        visit::visit_path_segment(self, segment);
    }

    // What a returned function returns is not what this one does.
    fn visit_parenthesized_generic_arguments(&mut self, _: &'ast ParenthesizedGenericArguments) {}

    fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
}

/// The names of a function's parameters, without `self`.
fn parameters(signature: &Signature) -> Vec<&Ident> {
    let mut found = Names(Vec::new());
    for input in &signature.inputs {
        if let FnArg::Typed(input) = input {
            found.visit_pat(&input.pat);
        }
    }
    found.0
}

struct Names<'ast>(Vec<&'ast Ident>);

impl<'ast> Visit<'ast> for Names<'ast> {
    fn visit_pat_ident(&mut self, name: &'ast PatIdent) {
        self.0.push(&name.ident);
    }
}
