//! Owns the question whether a body is in a form that is read at all, before anyone parses it.

use crate::protocol::error::ProtocolError;

/// Refuses multipart and compressed bodies. Any other content type is let pass, since clients put what they
/// like there, and one that says multipart over plain JSON is not believed.
pub fn check_form(
    content_type: Option<&str>,
    content_encoding: Option<&str>,
    body: &[u8],
) -> Result<(), ProtocolError> {
    if looks_like_json(body) {
        return Ok(());
    }
    let says = |header: Option<&str>, word: &str| header.is_some_and(|text| contains_word(text, word));
    const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
    let packed = ["gzip", "deflate", "br", "zstd"].iter().any(|method| says(content_encoding, method));
    if packed || body.starts_with(GZIP_MAGIC) {
        return Err(ProtocolError::Compressed);
    }
    if says(content_type, "multipart/form-data") {
        return Err(ProtocolError::Multipart);
    }
    Ok(())
}

fn looks_like_json(body: &[u8]) -> bool {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

fn contains_word(header: &str, word: &str) -> bool {
    header.split([',', ';']).any(|part| part.trim().eq_ignore_ascii_case(word))
}

/// Escapes control characters that stand raw inside strings, as programs leave them that glue JSON together
/// by hand. JSON forbids them, yet they can only mean themselves. `None` when there are none: the body is
/// what it is.
///
/// For a body that was refused as [`ProtocolError::NotJson`]; a good one is never copied.
pub fn mend(body: &[u8]) -> Option<Vec<u8>> {
    let mut mended = Vec::with_capacity(body.len() + 64);
    let (mut in_string, mut escaped, mut changed) = (false, false, false);
    for &byte in body {
        if in_string && byte < 0x20 && !escaped {
            mended.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
            changed = true;
            continue;
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ => {}
        }
        mended.push(byte);
    }
    changed.then_some(mended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_be_read_is_refused() {
        let json = br#" {"infno":"9001"}"#.as_slice();
        for kind in ["application/json", "text/plain;charset=gbk", "multipart/form-data; boundary=x", ""] {
            assert!(check_form(Some(kind), Some("identity"), json).is_ok(), "{kind}");
        }
        assert!(check_form(None, Some("gzip"), json).is_ok(), "a header that lies over plain JSON");
        let multipart = check_form(Some("Multipart/Form-Data; boundary=x"), None, b"--x\r\n");
        assert!(matches!(multipart, Err(ProtocolError::Multipart)));
        for (encoding, body) in [(Some("gzip"), b"xx".as_slice()), (None, &[0x1f, 0x8b, 8])] {
            assert!(matches!(check_form(None, encoding, body), Err(ProtocolError::Compressed)));
        }
    }

    #[test]
    fn raw_line_ends_inside_a_string_are_mended_and_nothing_else() {
        let cases = [
            ("{\"a\":\"x\ny\t\"}", Some("{\"a\":\"x\\u000ay\\u0009\"}")),
            ("{\n\"a\":\"x\\\"\"\n}", None),
            ("{\"a\":NaN}", None),
        ];
        for (body, mended) in cases {
            assert_eq!(mend(body.as_bytes()).as_deref(), mended.map(str::as_bytes), "{body}");
        }
    }
}
