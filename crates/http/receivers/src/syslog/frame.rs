//! Where messages begin and end in a stream: by a count of octets before each (RFC 6587 3.4.1, RFC 5425), or by the end of
//! the line (3.4.2). Each message tells by its first bytes.

use std::collections::VecDeque;

/// Most digits of a count.
const DIGITS_MOST: usize = 7;

/// One message of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framed {
    /// Its bytes, without the end of a line.
    pub bytes: Vec<u8>,
    /// Bytes of it that were cut off, as it was too long.
    pub cut: usize,
}

/// Finds messages in a stream, however it is cut into pieces. Takes no more memory than one message and one piece.
#[derive(Debug)]
pub struct Decoder {
    most: usize,
    buffer: VecDeque<u8>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Before a message.
    Between,
    /// In a message of which so many octets are still to come.
    Counted { left: usize, message: Framed },
    /// In a message that ends with its line.
    Line { message: Framed },
}

impl Decoder {
    /// Of messages of at most so many bytes; longer ones lose their ends.
    pub fn new(most: usize) -> Decoder {
        Decoder { most, buffer: VecDeque::new(), state: State::Between }
    }

    /// Takes a piece of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend(bytes);
    }

    /// The next message that is whole.
    pub fn message(&mut self) -> Option<Framed> {
        loop {
            match std::mem::replace(&mut self.state, State::Between) {
                State::Between => self.state = self.begin()?,
                State::Counted { left, mut message } => {
                    let here = left.min(self.buffer.len());
                    self.take(here, &mut message);
                    if here < left {
                        self.state = State::Counted { left: left - here, message };
                        return None;
                    }
                    return Some(message);
                }
                State::Line { mut message } => {
                    let end = self.buffer.iter().position(|b| matches!(b, b'\n' | 0));
                    self.take(end.unwrap_or(self.buffer.len()), &mut message);
                    if end.is_none() {
                        self.state = State::Line { message };
                        return None;
                    }
                    self.buffer.pop_front();
                    if message.cut == 0 && message.bytes.last() == Some(&b'\r') {
                        message.bytes.pop();
                    }
                    if !message.bytes.is_empty() {
                        return Some(message);
                    }
                }
            }
        }
    }

    /// What the stream ended in the middle of: a line without an end is a message, a counted one that is cut short is not
    /// whole, and its missing bytes are counted as cut off.
    pub fn end(&mut self) -> Option<Framed> {
        match std::mem::replace(&mut self.state, State::Between) {
            State::Between => {
                let bytes: Vec<u8> = self.buffer.drain(..).collect();
                (!bytes.is_empty()).then_some(Framed { bytes, cut: 0 })
            }
            State::Counted { left, mut message } => {
                message.cut += left;
                Some(message)
            }
            State::Line { message } => Some(message),
        }
        .filter(|message| !message.bytes.is_empty())
    }

    /// How a message begins that is not here yet: nothing if that can't be told yet.
    fn begin(&mut self) -> Option<State> {
        while self.buffer.front().is_some_and(|b| matches!(b, b'\n' | b'\r' | b' ' | 0)) {
            self.buffer.pop_front();
        }
        let message = || Framed { bytes: Vec::new(), cut: 0 };
        let first = *self.buffer.front()?;
        if !first.is_ascii_digit() || first == b'0' {
            return Some(State::Line { message: message() });
        }
        let digits = self.buffer.iter().take(DIGITS_MOST + 1).take_while(|b| b.is_ascii_digit()).count();
        match self.buffer.get(digits) {
            Some(b' ') if digits <= DIGITS_MOST => {
                let count =
                    self.buffer.drain(..digits).fold(0, |n, digit| n * 10 + usize::from(digit - b'0'));
                self.buffer.pop_front();
                Some(State::Counted { left: count, message: message() })
            }
            None if digits <= DIGITS_MOST => None,
            _ => Some(State::Line { message: message() }),
        }
    }

    fn take(&mut self, count: usize, message: &mut Framed) {
        let kept = count.min(self.most - message.bytes.len());
        message.bytes.extend(self.buffer.drain(..kept));
        self.buffer.drain(..count - kept);
        message.cut += count - kept;
    }
}
