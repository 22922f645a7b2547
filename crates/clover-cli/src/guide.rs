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

/// Every page, in the order in which a newcomer needs them.
pub(crate) const GUIDE: &[Page] = &[
    page!("train"),
    page!("data"),
    page!("search"),
    page!("questions"),
    page!("evaluate"),
    page!("weights"),
    page!("ablate"),
    page!("devices"),
    page!("embed-in-rust"),
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
    fn every_file_of_the_folder_is_a_page_with_a_heading() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/guide");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let mut pages: Vec<String> = GUIDE
            .iter()
            .map(|page| format!("{}.md", page.topic))
            .collect();

        files.sort();
        pages.sort();

        assert_eq!(files, pages);
        for page in GUIDE {
            assert!(page.text.starts_with("# "), "{}", page.topic);
        }
    }
}
