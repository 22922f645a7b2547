//! `clover help`, `clover completions` and `clover man`.

use std::borrow::Cow;
use std::fs;
use std::io::{self, IsTerminal, Write};

use anyhow::{Context, Result, bail};

use crate::arguments::{self, Completions, Help, Man};
use crate::guide::{GUIDE, Page};
use crate::markdown::render;
use crate::output::{Stdout, print_line};

/// Shows a page of the guide, the options of a command, or what there is.
pub(crate) fn help(asked: &Help) -> Result<()> {
    let words = &asked.topic;
    if let [topic] = &words[..]
        && let Some(page) = Page::about(topic)
    {
        print_line(shown(page.text).trim_end());
        return Ok(());
    }
    let mut command = match command(words) {
        Ok(command) => command,
        Err(error) => bail!("{error}; `clover help` names the pages of the guide and the commands"),
    };
    print_line(command.render_long_help().to_string().trim_end());
    if words.is_empty() {
        print_line("\nGuide, shown by `clover help TOPIC`:");
        for page in GUIDE {
            print_line(&format!("  {:<15}{}", page.topic, page.title()));
        }
    }
    Ok(())
}

/// A page for whom it is printed: rendered for a terminal, as it is for a program.
fn shown(text: &str) -> Cow<'_, str> {
    if !io::stdout().is_terminal() {
        return Cow::Borrowed(text);
    }
    let width = terminal_size::terminal_size().map_or(80, |(width, _)| width.0.into());
    Cow::Owned(render(text, width))
}

/// The command of these words, as `["weights", "import"]`; the program for none.
fn command(words: &[String]) -> Result<clap::Command> {
    let mut program = arguments::command();
    // The options that all commands have reach them by this.
    program.build();
    let mut command = program;
    for word in words {
        match command.find_subcommand(word) {
            Some(inner) => command = inner.clone(),
            None => bail!("{word}: neither a page of the guide nor a command"),
        }
    }
    Ok(command)
}

/// Prints the script by which a shell completes the program's commands and options.
pub(crate) fn completions(asked: &Completions) {
    let mut script = Vec::new();
    clap_complete::generate(
        asked.shell,
        &mut arguments::command(),
        "clover",
        &mut script,
    );
    let _kept = Stdout.write_all(&script);
}

/// Prints a manual page, or writes all.
pub(crate) fn man(asked: &Man) -> Result<()> {
    if let Some(folder) = &asked.out {
        let unwritable = || format!("{}: cannot be written", folder.display());
        fs::create_dir_all(folder).with_context(unwritable)?;
        return clap_mangen::generate_to(arguments::command(), folder).with_context(unwritable);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command(&asked.command)?).render(&mut page)?;
    let _kept = Stdout.write_all(&page);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_by_their_words_and_others_are_named() {
        let words = |line: &str| -> Vec<String> { line.split(' ').map(str::to_owned).collect() };

        assert_eq!(
            command(&words("weights import")).unwrap().get_name(),
            "import"
        );
        assert_eq!(command(&[]).unwrap().get_name(), "clover");
        let topic = words("weihgts");
        let error = help(&Help { topic }).unwrap_err().to_string();
        assert!(error.starts_with("weihgts: neither a page"), "{error}");
    }
}
