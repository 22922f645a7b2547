//! Two ways to name a parameter, side by side.

/// A pair of name prefixes; `*` stands for one number, the same on both sides.
pub(in crate::weights) struct Rule {
    published: &'static str,
    native: &'static str,
    kind: Kind,
}

/// What stands behind the prefix.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::weights) enum Kind {
    /// `weight` and `bias`, as in Burn.
    Layer,
    /// `weight` and `bias`, which Burn calls `gamma` and `beta`.
    Norm,
    /// Nothing: the prefix is the whole name.
    Tensor,
}

pub(in crate::weights) const fn layer(published: &'static str, native: &'static str) -> Rule {
    Rule {
        published,
        native,
        kind: Kind::Layer,
    }
}

pub(in crate::weights) const fn norm(published: &'static str, native: &'static str) -> Rule {
    Rule {
        published,
        native,
        kind: Kind::Norm,
    }
}

pub(in crate::weights) const fn tensor(published: &'static str, native: &'static str) -> Rule {
    Rule {
        published,
        native,
        kind: Kind::Tensor,
    }
}

impl Rule {
    pub(in crate::weights) fn to_native(&self, published: &str) -> Option<String> {
        let (numbers, rest) = match_prefix(self.published, published)?;
        let parameter = match (self.kind, rest) {
            (Kind::Tensor, "") => "",
            (Kind::Layer, ".weight" | ".bias") => rest,
            // The first releases of BERT called them as Burn does.
            (Kind::Norm, ".weight" | ".gamma") => ".gamma",
            (Kind::Norm, ".bias" | ".beta") => ".beta",
            _ => return None,
        };
        Some(fill(self.native, &numbers) + parameter)
    }

    pub(in crate::weights) fn to_published(&self, native: &str) -> Option<String> {
        let (numbers, rest) = match_prefix(self.native, native)?;
        let parameter = match (self.kind, rest) {
            (Kind::Tensor, "") => "",
            (Kind::Layer | Kind::Norm, ".weight" | ".bias") => rest,
            (Kind::Norm, ".gamma") => ".weight",
            (Kind::Norm, ".beta") => ".bias",
            _ => return None,
        };
        Some(fill(self.published, &numbers) + parameter)
    }
}

/// The numbers that the stars of `pattern` stand for at the start of `name`, and what follows.
pub(in crate::weights) fn match_prefix<'n>(
    pattern: &str,
    name: &'n str,
) -> Option<(Vec<&'n str>, &'n str)> {
    let mut numbers = Vec::new();
    let mut rest = name;
    let mut parts = pattern.split('*');
    rest = rest.strip_prefix(parts.next()?)?;
    for part in parts {
        let digits = rest
            .find(|letter: char| !letter.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, behind) = rest.split_at(digits);
        if number.is_empty() {
            return None;
        }
        numbers.push(number);
        rest = behind.strip_prefix(part)?;
    }
    Some((numbers, rest))
}

pub(in crate::weights) fn fill(pattern: &str, numbers: &[&str]) -> String {
    let mut numbers = numbers.iter();
    let mut filled = String::new();
    for part in pattern.split_inclusive('*') {
        match part.strip_suffix('*') {
            Some(text) => {
                filled.push_str(text);
                filled.push_str(numbers.next().unwrap_or(&""));
            }
            None => filled.push_str(part),
        }
    }
    filled
}
