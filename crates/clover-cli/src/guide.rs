//! The guide, a page a subject, as `clover help TOPIC` shows it.

/// A page and the word that asks for it.
pub(crate) struct Page {
    pub(crate) topic: &'static str,
    pub(crate) text: &'static str,
}

/// The page of a file in `guide/`.
macro_rules! page {
    ($topic:literal) => {
        Page {
            topic: $topic,
            text: include_str!(concat!("../guide/", $topic, ".md")),
        }
    };
}

/// Every page, in the order of the guide's own list.
pub(crate) const GUIDE: &[Page] = &[
    page!("data"),
    page!("training"),
    page!("tasks"),
    page!("searching"),
    page!("questions"),
    page!("serving"),
    page!("clip"),
    page!("public-weights"),
    page!("benchmark"),
    page!("devices"),
    page!("rust"),
    page!("figures"),
];

impl Page {
    /// The page about a topic.
    pub(crate) fn about(topic: &str) -> Option<&'static Self> {
        GUIDE.iter().find(|page| page.topic == topic)
    }

    /// Its heading.
    pub(crate) fn title(&self) -> &'static str {
        let heading = self.text.lines().next().unwrap_or_default();
        heading.trim_start_matches('#').trim()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_a_page_with_a_heading_and_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/guide");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|file| file.ends_with(".md") && file != "README.md")
            .collect();
        let list = std::fs::read_to_string(format!("{folder}/README.md")).unwrap();
        let mut pages = Vec::new();
        for page in GUIDE {
            assert!(page.text.starts_with("# "), "{}", page.topic);
            assert!(!page.title().is_empty(), "{}", page.topic);
            let file = format!("{}.md", page.topic);
            assert!(list.contains(&format!("({file})")), "{file} is not listed");
            pages.push(file);
        }

        files.sort();
        pages.sort();

        assert_eq!(files, pages);
    }

    #[test]
    fn no_page_hides_a_command() {
        let program = crate::arguments::command();
        for page in GUIDE {
            assert!(
                program.find_subcommand(page.topic).is_none(),
                "{}",
                page.topic
            );
        }
    }
}
