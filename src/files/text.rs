//! Tells plain text from everything else while the bytes stream by.

/// The longest UTF-8 sequence.
const MAX_SEQUENCE: usize = 4;

/// Remembers whether all bytes so far are UTF-8 without control characters.
///
/// Tab, line feed and carriage return are text; every other control character is not.
pub(super) struct TextCheck {
    is_text: bool,
    /// The start of a sequence that the last bytes left open.
    open: Vec<u8>,
}

impl TextCheck {
    pub(super) fn new() -> TextCheck {
        TextCheck { is_text: true, open: Vec::with_capacity(MAX_SEQUENCE) }
    }

    /// Looks at the next bytes. Once they are not text, nothing makes them text again.
    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        while self.is_text && !self.open.is_empty() {
            let Some((&byte, rest)) = bytes.split_first() else { return };
            bytes = rest;
            self.open.push(byte);
            let sequence = std::mem::take(&mut self.open);
            self.check(&sequence);
        }
        if self.is_text {
            self.check(bytes);
        }
    }

    /// Whether everything was text, the last sequence complete.
    pub(super) fn is_text(&self) -> bool {
        self.is_text && self.open.is_empty()
    }

    /// Whether everything was text so far, though a sequence may still be open.
    pub(super) fn may_be_text(&self) -> bool {
        self.is_text
    }

    fn check(&mut self, bytes: &[u8]) {
        let valid = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                // Without a length the rest is no mistake but the start of a sequence.
                if error.error_len().is_some() {
                    self.is_text = false;
                } else {
                    self.open = rest.to_vec();
                }
                std::str::from_utf8(valid).unwrap_or_default()
            }
        };
        self.is_text &= !valid.chars().any(is_forbidden);
    }
}

fn is_forbidden(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\n' | '\r')
}
