//! What somebody who mistyped a word may have meant.

/// The most alike of the words that are known, if one is alike enough to name.
pub(crate) fn nearest(word: &str, known: impl IntoIterator<Item = String>) -> Option<String> {
    let likeness = |known: &String| strsim::jaro_winkler(word, known);
    // Of a short word, one slip of the finger is a large part.
    let is_slip = |known: &String| word.len() > 2 && strsim::osa_distance(word, known) <= 1;
    let alike = known.into_iter().filter(|known| likeness(known) > 0.85 || is_slip(known));
    alike.max_by(|one, other| likeness(one).total_cmp(&likeness(other)))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_found_and_nothing_is_made_up() {
        let verbs = || ["run", "compose", "grants", "doctor"].map(str::to_owned);
        for (word, meant) in [("rnu", "run"), ("run", "run"), ("compos", "compose"), ("grant", "grants")] {
            assert_eq!(nearest(word, verbs()).as_deref(), Some(meant));
        }
        for word in ["", "x", "python", "install"] {
            assert_eq!(nearest(word, verbs()), None, "{word}");
        }
    }
}
