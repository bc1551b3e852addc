//! Owns the reading of a body into one piece, within its size.

use bytes::Bytes;
use bytes::BytesMut;
use http_body_util::BodyExt;
use hyper::body::Body;
use hyper::body::Incoming;

use crate::transport::Refusal;

/// What a client's word (`Content-Length`) may make us set aside before its bytes are there.
const RESERVE_BYTES_MAX: usize = 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFault {
    TooLarge,
    /// The chunks made no sense, or the client went away in the middle.
    Broken,
}

impl From<BodyFault> for Refusal {
    fn from(fault: BodyFault) -> Refusal {
        match fault {
            BodyFault::TooLarge => Refusal::BodyTooLarge,
            BodyFault::Broken => Refusal::MalformedBody,
        }
    }
}

/// The whole body. One that came in one frame is handed on as it lies in the read buffer, without a copy.
pub(crate) async fn read(mut body: Incoming, bytes_max: usize) -> Result<Bytes, BodyFault> {
    let declared = declared(&body, bytes_max)?;
    let Some(first) = next(&mut body).await? else { return Ok(Bytes::new()) };
    if body.is_end_stream() && first.len() <= bytes_max {
        return Ok(first);
    }
    gather(first, body, declared.min(RESERVE_BYTES_MAX), bytes_max).await
}

async fn gather(
    first: Bytes,
    mut body: Incoming,
    reserve: usize,
    bytes_max: usize,
) -> Result<Bytes, BodyFault> {
    let mut whole = BytesMut::with_capacity(reserve.max(first.len()));
    let mut piece = Some(first);
    while let Some(bytes) = piece {
        if bytes.len() > bytes_max - whole.len() {
            return Err(BodyFault::TooLarge);
        }
        whole.extend_from_slice(&bytes);
        piece = next(&mut body).await?;
    }
    Ok(whole.freeze())
}

/// Reads a body that nobody wants, so that the connection can go on behind it; nothing of it is kept.
pub(crate) async fn pass_over(mut body: Incoming, bytes_max: usize) -> Result<(), BodyFault> {
    declared(&body, bytes_max)?;
    let mut left = bytes_max;
    while let Some(bytes) = next(&mut body).await? {
        left = left.checked_sub(bytes.len()).ok_or(BodyFault::TooLarge)?;
    }
    Ok(())
}

/// The length that the client has said, 0 where it says none: over the limit nothing of it need be read.
fn declared(body: &Incoming, bytes_max: usize) -> Result<usize, BodyFault> {
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if declared > bytes_max { Err(BodyFault::TooLarge) } else { Ok(declared) }
}

/// The next data; trailers are passed over.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, BodyFault> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|_| BodyFault::Broken)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}
