//! Whether a function's body can panic.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Block, ExprIndex, ExprMethodCall, Ident, Item, Macro, Stmt};

/// What a comment begins with that says why the code below it cannot panic.
const EXCUSE: &str = "// Cannot panic: ";

/// Whether the body itself has something that panics and no comment excuses.
///
/// That is an assertion, an `expect`, an `unwrap`, or an index with one of the parameters in it.
/// What the functions panic on that it calls is not looked at. The comment stands at the end of the line
/// or directly above the line or its statement.
pub(super) fn can_panic(body: &Block, parameters: &[&Ident], text: &str) -> bool {
    let mut body_panics = Panics {
        parameters,
        lines: text.lines().collect(),
        statement: 0,
        is_found: false,
    };
    body_panics.visit_block(body);
    body_panics.is_found
}

struct Panics<'a> {
    parameters: &'a [&'a Ident],
    lines: Vec<&'a str>,
    /// The line on which the statement begins, from 1.
    statement: usize,
    is_found: bool,
}

impl Panics<'_> {
    fn found(&mut self, span: Span) {
        let lines = [span.start().line, self.statement];
        let is_excused = lines.iter().any(|line| self.is_excused(*line));
        self.is_found |= !is_excused;
    }

    fn is_excused(&self, line: usize) -> bool {
        let is_excuse = |line: &str| {
            let why = line.split_once(EXCUSE).map(|(_, why)| why.trim());
            why.is_some_and(|why| !why.is_empty())
        };
        let until = line.min(self.lines.len());
        let mut above = self.lines[..until].iter().rev();
        above.next().is_some_and(|line| is_excuse(line))
            || above
                .take_while(|line| line.trim_start().starts_with("//"))
                .any(|line| is_excuse(line))
    }

    /// Looks for the same in what a macro is called with, which may be no expression.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (place, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(name) => {
                    let name = name.to_string();
                    let before = place.checked_sub(1).and_then(|place| tokens.get(place));
                    let is_call = is_punct(before, '.') && METHODS.contains(&name.as_str());
                    let is_macro = is_punct(tokens.get(place + 1), '!');
                    if is_call || is_macro && MACROS.contains(&name.as_str()) {
                        self.found(token.span());
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Panics<'_> {
    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        let before = self.statement;
        self.statement = statement.span().start().line;
        visit::visit_stmt(self, statement);
        self.statement = before;
    }

    // A function inside of the body is called somewhere, or not.
    fn visit_item(&mut self, _: &'ast Item) {}

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if METHODS.iter().any(|name| call.method == name) {
            self.found(call.method.span());
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_index(&mut self, index: &'ast ExprIndex) {
        let mut mentions = Mentions {
            names: self.parameters,
            is_found: false,
        };
        mentions.visit_expr(&index.index);
        if mentions.is_found {
            self.found(index.bracket_token.span.open());
        }
        visit::visit_expr_index(self, index);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let name = call.path.segments.last().map(|last| last.ident.to_string());
        if name.is_some_and(|name| MACROS.contains(&name.as_str())) {
            self.found(call.bang_token.span);
        }
        self.tokens(call.tokens.clone());
    }
}

struct Mentions<'a> {
    names: &'a [&'a Ident],
    is_found: bool,
}

impl<'ast> Visit<'ast> for Mentions<'_> {
    fn visit_ident(&mut self, name: &'ast Ident) {
        self.is_found |= self.names.contains(&name);
    }
}

fn is_punct(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}

const METHODS: [&str; 4] = ["expect", "expect_err", "unwrap", "unwrap_err"];
const MACROS: [&str; 6] = [
    "panic",
    "assert",
    "assert_eq",
    "assert_ne",
    "unreachable",
    concat!("unimple", "mented"),
];
