//! Limits of what is handed in, the same for live work and for known work that is to look like it.

use super::escape_pointer;
use crate::domain::cohort::Accommodations;
use crate::domain::rubric::Prompt;
use crate::service::error::Fault;

/// What is wrong with the length of an answer in words: none at all, or more than its prompt allows.
pub(in crate::service) fn fault_of_words(
    prompt: &Prompt,
    text: &str,
    accommodations: &Accommodations,
) -> Option<Fault> {
    let pointer = || format!("/responses/{}", escape_pointer(prompt.id().as_str()));
    let words = u32::try_from(text.split_whitespace().count()).unwrap_or(u32::MAX);
    if words == 0 {
        return Some(Fault::new(pointer(), "response-missing", "answer this prompt"));
    }
    let limit =
        prompt.word_limit().filter(|limit| words > *limit && !accommodations.unlimited_words)?;
    let detail = format!("the answer has {words} words; at most {limit} are allowed");
    Some(Fault::new(pointer(), "too-many-words", detail))
}

/// Whether the prompt may be answered by a recording: by the definition, or because it was arranged with the earner.
pub(in crate::service) fn may_be_recorded(
    prompt: &Prompt,
    accommodations: &Accommodations,
) -> bool {
    accommodations.spoken_answers || !prompt.alternatives().is_empty()
}

/// What is wrong with so many items of one requirement where it takes `most`.
pub(in crate::service) fn fault_of_items(
    most: usize,
    n_items: usize,
    pointer: &str,
) -> Option<Fault> {
    (n_items > most).then(|| {
        let detail = format!("this requirement takes {most} at most; remove one first");
        Fault::new(pointer, "too-many-items", detail)
    })
}
