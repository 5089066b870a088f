//! Marker segments (T.81 B.1.1, B.2): walked without trusting a length.

use super::{PixelError, corrupt};

/// The coding process of a frame, of those decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    /// SOF0, SOF1.
    Sequential,
    /// SOF2.
    Progressive,
    /// SOF3.
    Lossless,
}

/// Frame header (T.81 B.2.2).
#[derive(Debug, Clone)]
pub(super) struct FrameHeader {
    pub process: Process,
    /// Bits of a sample: 8 or 12 for DCT, 2 to 16 for lossless.
    pub precision: u8,
    pub rows: u16,
    pub columns: u16,
    /// 1 or 3.
    pub components: Vec<Component>,
}

/// A component of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Component {
    pub id: u8,
    /// Sampling factors, 1 to 4.
    pub horizontal: u8,
    pub vertical: u8,
    /// Quantization table, 0 to 3.
    pub quantization: u8,
}

/// What can be known of a stream before its first scan.
pub(super) struct Headline {
    pub frame: FrameHeader,
    /// Colour transform of an Adobe APP14 segment: 0 none, 1 YCbCr.
    pub adobe: Option<u8>,
    /// Whether a JFIF APP0 segment is there: colour is YCbCr then.
    pub jfif: bool,
}

/// Walks marker segments; after SOS it stands at the entropy-coded data.
pub(super) struct Segments<'a> {
    pub stream: &'a [u8],
    pub at: usize,
}

impl<'a> Segments<'a> {
    pub fn of(stream: &'a [u8]) -> Result<Self, PixelError> {
        match stream {
            [0xFF, 0xD8, ..] => Ok(Self { stream, at: 2 }),
            _ => Err(corrupt("no start of image")),
        }
    }

    /// The next marker and its payload, empty for markers without one.
    pub fn next(&mut self) -> Result<(u8, &'a [u8]), PixelError> {
        let ended = || corrupt("stream ends early");
        // Any number of fill bytes may precede a marker (T.81 B.1.1.2).
        let marker = loop {
            match (self.stream.get(self.at), self.stream.get(self.at + 1)) {
                (Some(0xFF), Some(0xFF)) => self.at += 1,
                (Some(0xFF), Some(&marker)) if marker != 0 => break marker,
                (Some(_), Some(_)) => return Err(corrupt("marker expected")),
                _ => return Err(ended()),
            }
        };
        self.at += 2;
        if matches!(marker, 0x01 | 0xD0..=0xD9) {
            return Ok((marker, &[]));
        }
        let rest = &self.stream[self.at..];
        let [high, low, ..] = rest else { return Err(ended()) };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let payload = rest.get(2..length).ok_or_else(ended)?;
        self.at += length;
        Ok((marker, payload))
    }
}

impl Headline {
    pub fn of(stream: &[u8]) -> Result<Self, PixelError> {
        let mut segments = Segments::of(stream)?;
        let (mut adobe, mut jfif, mut frame) = (None, false, None);
        loop {
            match segments.next()? {
                (0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF, _) if frame.is_some() => {
                    return Err(corrupt("two frames in one stream"));
                }
                (marker @ (0xC0..=0xC3), payload) => frame = Some(FrameHeader::parse(Process::of(marker), payload)?),
                (0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF, _) => {
                    let words = "hierarchical or arithmetic-coded JPEG is not supported";
                    return Err(PixelError::Undecodable(words.into()));
                }
                (0xE0, payload) => jfif |= payload.starts_with(b"JFIF\0"),
                (0xEE, payload) if payload.starts_with(b"Adobe") => adobe = payload.get(11).copied(),
                (0xDA, _) => {
                    let frame = frame.ok_or_else(|| corrupt("scan before frame"))?;
                    return Ok(Self { frame, adobe, jfif });
                }
                (0xD9, _) => return Err(corrupt("no scan")),
                _ => {}
            }
        }
    }
}

impl Process {
    /// Of SOF0 to SOF3.
    const fn of(marker: u8) -> Self {
        match marker {
            0xC0 | 0xC1 => Self::Sequential,
            0xC2 => Self::Progressive,
            _ => Self::Lossless,
        }
    }
}

impl FrameHeader {
    /// From the payload of its segment.
    pub fn parse(process: Process, payload: &[u8]) -> Result<Self, PixelError> {
        let wrong = || corrupt("wrong frame header");
        let [precision, r1, r0, c1, c0, count, rest @ ..] = payload else { return Err(wrong()) };
        let legal =
            if process == Process::Lossless { (2..=16).contains(precision) } else { matches!(precision, 8 | 12) };
        if !legal || !matches!(count, 1 | 3) || rest.len() < usize::from(*count) * 3 {
            return Err(wrong());
        }
        let components: Vec<Component> = rest
            .chunks_exact(3)
            .take(usize::from(*count))
            .map(|c| Component { id: c[0], horizontal: c[1] >> 4, vertical: c[1] & 15, quantization: c[2] })
            .collect();
        let sampled = |c: &Component| (1..=4).contains(&c.horizontal) && (1..=4).contains(&c.vertical);
        let (rows, columns) = (u16::from_be_bytes([*r1, *r0]), u16::from_be_bytes([*c1, *c0]));
        // Zero rows means a DNL segment after the scan, which no modality writes.
        if !components.iter().all(|c| sampled(c) && c.quantization < 4) || rows == 0 || columns == 0 {
            return Err(wrong());
        }
        Ok(Self { process, precision: *precision, rows, columns, components })
    }
}
