//! Answers: `Export…ServiceResponse`, and `google.rpc.Status` for what went wrong, in both encodings.

use event::{Object, Value};

use super::{Form, Signal};

/// An answer of success. With something to say it is a partial one: so many records were refused, or, if none were, a
/// remark that needs no action.
pub fn answer(form: Form, signal: Signal, rejected: usize, message: &str) -> Vec<u8> {
    let is_whole = rejected == 0 && message.is_empty();
    match form {
        Form::Protobuf if is_whole => Vec::new(),
        Form::Protobuf => {
            let mut partial = Vec::new();
            number(&mut partial, 1, rejected as u64);
            bytes(&mut partial, 2, message.as_bytes());
            let mut all = Vec::new();
            bytes(&mut all, 1, &partial);
            all
        }
        Form::Json => {
            let mut all = Object::new();
            if !is_whole {
                let mut partial = Object::new();
                let name = if signal == Signal::Traces { "rejectedSpans" } else { "rejectedLogRecords" };
                // Protobuf's JSON has numbers of 64 bits as text.
                partial.insert(name, rejected.to_string());
                partial.insert("errorMessage", message.to_owned());
                all.insert("partialSuccess", partial);
            }
            Value::Object(all).to_jcs()
        }
    }
}

/// `google.rpc.Status`: a code of gRPC, a sentence, and when to try again.
pub fn status(form: Form, code: u32, message: &str, retry_ms: Option<u64>) -> Vec<u8> {
    const RETRY: &str = "type.googleapis.com/google.rpc.RetryInfo";
    let mut all = Vec::new();
    match form {
        Form::Protobuf => {
            number(&mut all, 1, u64::from(code));
            bytes(&mut all, 2, message.as_bytes());
            if let Some(ms) = retry_ms {
                let (mut delay, mut info, mut any) = (Vec::new(), Vec::new(), Vec::new());
                number(&mut delay, 1, ms / 1000);
                number(&mut delay, 2, ms % 1000 * 1_000_000);
                bytes(&mut info, 1, &delay);
                bytes(&mut any, 1, RETRY.as_bytes());
                bytes(&mut any, 2, &info);
                bytes(&mut all, 3, &any);
            }
            all
        }
        Form::Json => {
            let mut status = Object::new();
            status.insert("code", code);
            status.insert("message", message.to_owned());
            if let Some(ms) = retry_ms {
                let mut info = Object::new();
                info.insert("@type", RETRY);
                info.insert("retryDelay", format!("{}.{:03}s", ms / 1000, ms % 1000));
                status.insert("details", vec![Value::Object(info)]);
            }
            Value::Object(status).to_jcs()
        }
    }
}

fn varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Zero is not written, as protobuf has it.
fn number(out: &mut Vec<u8>, field: u32, n: u64) {
    if n > 0 {
        varint(out, u64::from(field << 3));
        varint(out, n);
    }
}

fn bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    if !bytes.is_empty() {
        varint(out, u64::from(field << 3 | 2));
        varint(out, bytes.len() as u64);
        out.extend_from_slice(bytes);
    }
}
