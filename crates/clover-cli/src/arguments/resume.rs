//! `--resume`, alone or with a word behind it.

use std::str::FromStr;

/// What stood behind `--resume`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    /// Nothing, or `auto`.
    Auto,
    /// A key of the recipe, which stands by itself: `--resume epochs=8`.
    Key(String),
}

impl FromStr for Resume {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "auto" => Ok(Self::Auto),
            key if key.contains('=') => Ok(Self::Key(key.to_owned())),
            _ => Err("there is only `auto`".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use clap::Parser;

    fn resume(options: &str) -> Option<Resume> {
        let line = format!("clover pretrain --data a.csv --vocab v.txt --out runs/x {options}");
        match Arguments::parse_from(line.trim().split(' ')).command {
            Command::Pretrain(pretrain) => pretrain.resume,
            _ => panic!("another command"),
        }
    }

    #[test]
    fn the_word_may_be_left_out_and_a_key_behind_it_is_none() {
        assert_eq!(resume(""), None);
        assert_eq!(resume("--resume"), Some(Resume::Auto));
        assert_eq!(resume("--resume --max-steps 4"), Some(Resume::Auto));
        assert_eq!(resume("--resume auto epochs=8"), Some(Resume::Auto));
        let key = Resume::Key("epochs=8".to_owned());
        assert_eq!(resume("--resume epochs=8"), Some(key));
        assert!("never".parse::<Resume>().is_err());
    }
}
