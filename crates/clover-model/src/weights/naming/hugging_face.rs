//! The names of BERT in Hugging Face's `transformers`.

/// Beginnings of their names, without `bert.`, and of the published ones. The bias of the word head
/// stands by itself; the one of its decoder is the same tensor.
const PARTS: [(&str, &str); 6] = [
    ("embeddings.", "text_backbone.bert.embeddings."),
    ("encoder.layer.", "text_backbone.bert.encoder.layer."),
    (
        "cls.predictions.transform.",
        "mlm_head.predictions.transform.",
    ),
    (
        "cls.predictions.decoder.weight",
        "mlm_head.predictions.decoder.weight",
    ),
    ("cls.predictions.bias", "mlm_head.predictions.decoder.bias"),
    ("cls.predictions.decoder.bias", "mlm_head.predictions.bias"),
];

/// The published name for one of theirs, without `bert.`.
pub(super) fn to_published(name: &str) -> Option<String> {
    PARTS
        .iter()
        .find_map(|(theirs, published)| Some(format!("{published}{}", name.strip_prefix(theirs)?)))
}

/// Their name, with `bert.`, for a published one.
pub(super) fn from_published(name: &str) -> Option<String> {
    PARTS.iter().find_map(|(theirs, published)| {
        let rest = name.strip_prefix(published)?;
        let front = if theirs.starts_with("cls.") {
            ""
        } else {
            "bert."
        };
        Some(format!("{front}{theirs}{rest}"))
    })
}
