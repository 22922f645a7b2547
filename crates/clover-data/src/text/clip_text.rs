//! How CLIP writes a text before it is cut into pieces (Radford et al., "Learning Transferable Visual
//! Models From Natural Language Supervision", ICML 2021; the released `simple_tokenizer.py`).
//!
//! What damaged a text on its way is mended, HTML's references are replaced twice, whitespace is
//! collapsed, capitals become small. The first step is ftfy's (Speer, 2019), but for its guess which
//! wrong character encoding a text was read by: such a text is taken as it is.

use std::borrow::Cow;

use tokenizers::NormalizedString;

use super::html_entities::{WINDOWS_1252, unescape, unescape_certain};

/// A text is mended until nothing changes, and at most so often: `&amp;amp;amp;` takes three.
const MOST_ROUNDS: usize = 64;

/// The text in small letters, its words separated by single spaces.
pub(super) fn clean(text: &str) -> String {
    let mended = if is_plain(text) {
        text.into()
    } else {
        mend(text)
    };
    let once = unescape(&mended);
    let twice = unescape(&once);
    let is_whitespace = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
    let words = twice.split(is_whitespace).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Whether there is nothing to mend: all but a few captions.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'&';
    text.bytes()
        .all(|byte| plain(byte) || byte == b'\n' || byte == b'\t')
}

/// Line by line; once there is a `<`, the text is taken for HTML, whose references are left for later.
fn mend(text: &str) -> Cow<'_, str> {
    let mut is_html = false;
    let lines = text.split_inclusive('\n').map(|line| {
        is_html |= line.contains('<');
        let mut line: Cow<'_, str> = line.into();
        for _ in 0..MOST_ROUNDS {
            let mended = mend_once(&line, is_html);
            if mended == line {
                break;
            }
            line = mended.into();
        }
        line
    });
    lines.collect::<String>().into()
}

fn mend_once(line: &str, is_html: bool) -> String {
    let line = if is_html {
        line.into()
    } else {
        unescape_certain(line)
    };
    let mut mended = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\u{80}'..='\u{9f}' => mended.push(WINDOWS_1252[c as usize - 0x80]),
            '\u{3000}' => mended.push(' '),
            '\u{ff01}'..='\u{ffef}' => mended.push_str(usual_width(c).get()),
            '\u{2bc}' | '\u{2018}'..='\u{201b}' => mended.push('\''),
            '\u{201c}'..='\u{201f}' => mended.push('"'),
            '\u{2028}' | '\u{2029}' => mended.push('\n'),
            _ => match ligature(c) {
                Some(letters) => mended.push_str(letters),
                None => mended.push(c),
            },
        }
    }
    let mut mended = without_terminal_colours(&mended.replace("\r\n", "\n").replace('\r', "\n"));
    mended.retain(|c| !is_unseen(c));
    if mended.is_ascii() {
        return mended;
    }
    let mut composed = NormalizedString::from(mended);
    composed.nfc();
    composed.get().to_owned()
}

/// Full-width Latin letters in their usual width, half-width Japanese and Korean ones in theirs.
fn usual_width(c: char) -> NormalizedString {
    let mut usual = NormalizedString::from(c.to_string());
    usual.nfkc();
    usual
}

/// The letters of what is one character for the sake of printing, or of an old character set.
fn ligature(c: char) -> Option<&'static str> {
    Some(match c {
        'Ĳ' => "IJ",
        'ĳ' => "ij",
        'ŉ' => "ʼn",
        'Ǳ' => "DZ",
        'ǲ' => "Dz",
        'ǳ' => "dz",
        'Ǆ' => "DŽ",
        'ǅ' => "Dž",
        'ǆ' => "dž",
        'Ǉ' => "LJ",
        'ǈ' => "Lj",
        'ǉ' => "lj",
        'Ǌ' => "NJ",
        'ǋ' => "Nj",
        'ǌ' => "nj",
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        'ﬅ' => "ſt",
        'ﬆ' => "st",
        _ => return None,
    })
}

/// The text without the codes by which terminals change colours: `ESC [ 3 1 m`.
fn without_terminal_colours(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        kept.push_str(before);
        let code = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        match code.strip_prefix(|c: char| c.is_ascii_alphabetic()) {
            Some(behind) => rest = behind,
            None => {
                kept.push_str("\u{1b}[");
                rest = after;
            }
        }
    }
    kept + rest
}

/// Control characters that do nothing in a text.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{206a}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffc}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cleaned_as_by_the_released_code() {
        // As `open_clip.tokenizer._clean_lower` of open_clip 3.3.0 with ftfy 6.3.1 gives them.
        for (text, expected) in [
            ("  A Dog\truns\n\nfast ", "a dog runs fast"),
            ("&lt;b&gt; &amp;amp; bold", "<b> & bold"),
            ("<i> &amp;lt; &amp;amp;amp;", "<i> < &amp;"),
            (
                "３ full-width ＬＯＵＤ　ＮＯＩＳＥ ｶﾞ",
                "3 full-width loud noise ガ",
            ),
            ("e\u{301} ﬂubberiﬁc ĳ “it’s”", "é flubberific ij \"it's\""),
            ("a\u{0}\u{feff}b\u{1b}[31mred\u{1b}[0m \u{1b}[x", "abred"),
            (
                "\u{93}smart\u{94} \u{2028} ΟΔΟΣ İ",
                "\"smart\" οδος i\u{307}",
            ),
        ] {
            assert_eq!(clean(text), expected, "{text:?}");
        }
    }

    #[test]
    fn references_within_references_end() {
        let text = format!("&{}lt;", "amp;".repeat(8_000));

        // Mended 64 times, and unescaped twice.
        assert_eq!(clean(&text).len(), 4 * (8_000 - 66) + 4);
    }
}
