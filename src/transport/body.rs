//! Owns the reading of a body into one piece, within its size and within the memory that all bodies have together.

use std::error::Error as _;
use std::io;
use std::io::ErrorKind;
use std::sync::Arc;

use bytes::Bytes;
use bytes::BytesMut;
use http_body_util::BodyExt;
use hyper::body::Body;
use hyper::body::Incoming;
use memmap2::MmapMut;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;

use crate::transport::Refusal;
use crate::transport::connection::READ_BYTES_MAX;

/// A body that grows beyond it lies in pages of its own.
const SHORT_BYTES_MAX: usize = 256 * 1024;
/// So much of each body takes no room, in how many pieces it may come: short messages go on beside long ones. As much as a
/// connection has for reading, so that connections bound it.
const FREE_BYTES: usize = READ_BYTES_MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFault {
    TooLarge,
    /// The bodies of others take all memory that there is for them. It was read to its end, so the line can go on.
    NoRoom,
    /// The chunks made no sense.
    Broken,
    /// The client, or the line to it, went away in the middle.
    CutOff,
}

impl From<BodyFault> for Refusal {
    fn from(fault: BodyFault) -> Refusal {
        match fault {
            BodyFault::TooLarge => Refusal::BodyTooLarge,
            BodyFault::NoRoom => Refusal::NoRoomForBody,
            BodyFault::Broken => Refusal::MalformedBody,
            BodyFault::CutOff => Refusal::BodyCutOff,
        }
    }
}

/// The memory for bodies that are gathered or worked on, of one listener.
#[derive(Debug)]
pub(crate) struct Room(Arc<Semaphore>);

impl Room {
    pub(crate) fn new(bytes: usize) -> Room {
        Room(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// Whether it would do for all of this body, as far as its length was said.
    pub(crate) fn is_there_for(&self, body: &Incoming) -> bool {
        let bytes = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        beyond_free(bytes) <= self.0.available_permits()
    }

    /// Nobody waits for it: he would keep what he has gathered, and with enough of them nobody would come to an end.
    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, BodyFault> {
        let permits = u32::try_from(bytes).map_err(|_| BodyFault::NoRoom)?;
        Arc::clone(&self.0).try_acquire_many_owned(permits).map_err(|_| BodyFault::NoRoom)
    }
}

fn beyond_free(bytes: usize) -> usize {
    bytes.saturating_sub(FREE_BYTES)
}

/// What was gathered of a body. Its room is free again with the last who reads in it.
struct Gathered {
    whole: Whole,
    room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Gathered {
    fn as_ref(&self) -> &[u8] {
        self.whole.bytes()
    }
}

/// Where a body lies.
enum Whole {
    Short(BytesMut),
    /// Pages that take memory when they are written to, and none at once when the body goes: the allocator would keep those of a
    /// second's bodies, and of one that grew the place of every length that it had.
    Long {
        pages: MmapMut,
        length: usize,
    },
}

impl Whole {
    fn bytes(&self) -> &[u8] {
        match self {
            Whole::Short(bytes) => bytes,
            Whole::Long { pages, length } => pages.get(..*length).unwrap_or_default(),
        }
    }

    /// `most`: how long it becomes in the end, or may.
    fn append(&mut self, piece: &[u8], most: usize) -> Result<(), BodyFault> {
        match self {
            Whole::Short(bytes) if bytes.len() + piece.len() <= SHORT_BYTES_MAX => {
                bytes.extend_from_slice(piece);
                Ok(())
            }
            Whole::Short(_) => {
                let pages = MmapMut::map_anon(most).map_err(|_| BodyFault::NoRoom)?;
                let short = std::mem::replace(self, Whole::Long { pages, length: 0 });
                self.append(short.bytes(), most)?;
                self.append(piece, most)
            }
            Whole::Long { pages, length } => {
                let end = *length + piece.len();
                pages.get_mut(*length..end).ok_or(BodyFault::TooLarge)?.copy_from_slice(piece);
                *length = end;
                Ok(())
            }
        }
    }
}

/// The whole body. One that came in one frame is handed on as it lies in the read buffer, without a copy.
pub(crate) async fn read(mut body: Incoming, bytes_max: usize, room: &Room) -> Result<Bytes, BodyFault> {
    let declared = declared(&body, bytes_max)?;
    let Some(first) = next(&mut body).await? else { return Ok(Bytes::new()) };
    if body.is_end_stream() && first.len() <= bytes_max {
        return Ok(first);
    }
    match gather(first, &mut body, declared, bytes_max, room).await {
        // What was gathered is given back already.
        Err(BodyFault::NoRoom) => pass_over(body, bytes_max).await.and(Err(BodyFault::NoRoom)),
        gathered => gathered.map(Bytes::from_owner),
    }
}

async fn gather(
    first: Bytes,
    body: &mut Incoming,
    declared: usize,
    bytes_max: usize,
    room: &Room,
) -> Result<Gathered, BodyFault> {
    let whole = Whole::Short(BytesMut::with_capacity(declared.min(SHORT_BYTES_MAX).max(first.len())));
    let most = if declared == 0 { bytes_max } else { declared };
    let mut gathered = Gathered { whole, room: room.take(0)? };
    let mut piece = Some(first);
    while let Some(bytes) = piece {
        let before = gathered.whole.bytes().len();
        if bytes.len() > bytes_max - before {
            return Err(BodyFault::TooLarge);
        }
        gathered.room.merge(room.take(beyond_free(before + bytes.len()) - beyond_free(before))?);
        gathered.whole.append(&bytes, most)?;
        piece = next(body).await?;
    }
    Ok(gathered)
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
        if let Ok(data) = frame.map_err(|cause| fault(&cause))?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// What a line or a client does is no fault of the message.
fn fault(cause: &hyper::Error) -> BodyFault {
    match cause.source().and_then(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind) {
        Some(ErrorKind::InvalidInput | ErrorKind::InvalidData) => BodyFault::Broken,
        _ => BodyFault::CutOff,
    }
}
