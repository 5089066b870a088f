//! The enrolment card: who this box is, to be held against what a receiver is given. As text,
//! and as a picture (PNG, black on white) with a QR code that carries the same. Made from
//! site, device and public key alone, so that it is the same each time.
//!
//! The code holds one line of JSON: `{"residentd":1,"site":…,"device":…,"key":JWK}`. The JWK's
//! `kid` is its thumbprint (RFC 7638), which is the key id everywhere; a reader computes it anew.

use font8x8::legacy::BASIC_LEGACY;
use qrcodegen::{QrCode, QrCodeEcc};

use crate::config::Name;
use crate::seal::public::PublicKey;

/// Width of the picture: half a hand at 300 dots an inch.
const WIDTH: usize = 760;
/// Light border of a QR code, in modules (ISO/IEC 18004).
const QUIET: usize = 4;
/// Pixels of a letter's dot.
const DOT: usize = 2;
const LETTER: usize = 8 * DOT;
const LINE: usize = 12 * DOT;
const MARGIN: usize = 24;
/// Characters of a line of the picture.
const LINE_CHARS: usize = (WIDTH - 2 * MARGIN) / LETTER;

/// Who a box is.
pub struct Card<'a> {
    pub site: &'a Name,
    pub device: &'a Name,
    pub key: &'a PublicKey,
}

impl Card<'_> {
    /// The card as text.
    pub fn text(&self) -> String {
        let Self { site, device, key } = self;
        format!(
            "residentd enrolment card\n\nsite         {site}\ndevice       {device}\nkey          {}\n             (SHA-256 thumbprint of the public key, RFC 7638)\n\n{}\n\n\
             Compare the key with the one that the receiver was given, character by character.\nThis card holds no secret.\n",
            key.id(),
            key.to_jwk()
        )
    }

    /// What the QR code holds.
    pub fn coded(&self) -> String {
        let Self { site, device, key } = self;
        format!(r#"{{"residentd":1,"site":"{site}","device":"{device}","key":{}}}"#, key.to_jwk())
    }

    /// The card as a PNG.
    pub fn png(&self) -> Vec<u8> {
        let code =
            QrCode::encode_text(&self.coded(), QrCodeEcc::Medium).expect("some 300 characters fit into a QR code");
        let modules = usize::try_from(code.size()).unwrap_or(0) + 2 * QUIET;
        let module = (WIDTH - 2 * MARGIN) / modules;
        let lines = self.lines();
        let below = MARGIN + modules * module;
        let mut picture = Picture::white(WIDTH, below + lines.len() * LINE + MARGIN);
        let left = (WIDTH - modules * module) / 2;
        for y in 0..code.size() {
            for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
                let at = |n: i32| usize::try_from(n).unwrap_or(0) + QUIET;
                picture.square(left + at(x) * module, MARGIN + at(y) * module, module);
            }
        }
        for (n, line) in lines.iter().enumerate() {
            picture.write(MARGIN, below + n * LINE, line);
        }
        picture.png()
    }

    fn lines(&self) -> Vec<String> {
        let Self { site, device, key } = self;
        let all = [
            "residentd".to_owned(),
            format!("site   {site}"),
            format!("device {device}"),
            "key".to_owned(),
            key.id().to_owned(),
        ];
        let wrapped = all.iter().flat_map(|line| {
            let letters: Vec<char> = line.chars().collect();
            letters.chunks(LINE_CHARS).map(|part| part.iter().collect()).collect::<Vec<String>>()
        });
        wrapped.collect()
    }
}

/// A picture of black dots on white.
struct Picture {
    width: usize,
    height: usize,
    /// Bytes of a row, eight dots each, white is 1.
    stride: usize,
    rows: Vec<u8>,
}

impl Picture {
    fn white(width: usize, height: usize) -> Self {
        let stride = width.div_ceil(8);
        Self { width, height, stride, rows: vec![0xFF; stride * height] }
    }

    fn square(&mut self, left: usize, top: usize, side: usize) {
        for y in top..top + side {
            for x in left..left + side {
                self.rows[y * self.stride + x / 8] &= !(0x80 >> (x % 8));
            }
        }
    }

    fn write(&mut self, left: usize, top: usize, line: &str) {
        for (n, letter) in line.chars().enumerate() {
            let rows = BASIC_LEGACY.get(letter as usize).unwrap_or(&BASIC_LEGACY[0]);
            for (y, row) in rows.iter().enumerate() {
                for x in (0..8).filter(|x| row & (1 << x) != 0) {
                    self.square(left + n * LETTER + x * DOT, top + y * DOT, DOT);
                }
            }
        }
    }

    /// PNG (ISO/IEC 15948), one bit a dot, its data stored and not compressed: some 90 kB,
    /// and no library of seven crates on the box for them.
    fn png(&self) -> Vec<u8> {
        let mut header = Vec::new();
        for side in [self.width, self.height] {
            header.extend(u32::try_from(side).unwrap_or(0).to_be_bytes());
        }
        header.extend([1, 0, 0, 0, 0]);
        // Each row is preceded by its filter: none.
        let raw: Vec<u8> = self.rows.chunks(self.stride).flat_map(|row| [&[0], row].concat()).collect();
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        chunk(&mut png, *b"IHDR", &header);
        chunk(&mut png, *b"IDAT", &stored(&raw));
        chunk(&mut png, *b"IEND", &[]);
        png
    }
}

fn chunk(png: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    png.extend(u32::try_from(data.len()).unwrap_or(0).to_be_bytes());
    let start = png.len();
    png.extend(name);
    png.extend(data);
    let crc = crc32(&png[start..]);
    png.extend(crc.to_be_bytes());
}

/// A zlib stream (RFC 1950) of stored blocks (RFC 1951 3.2.4).
fn stored(raw: &[u8]) -> Vec<u8> {
    const MOST: usize = 0xFFFF;
    let mut stream = vec![0x78, 0x01];
    let blocks = raw.len().div_ceil(MOST);
    for (n, block) in raw.chunks(MOST).enumerate() {
        let length = u16::try_from(block.len()).unwrap_or(0);
        stream.push(u8::from(n + 1 == blocks));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    stream.extend(adler32(raw).to_be_bytes());
    stream
}

/// RFC 1950 8.2.
fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

/// ISO/IEC 15948, annex D.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::key::DeviceKey;

    /// By two decoders that are not ours.
    #[test]
    fn the_picture_is_a_png_whose_code_says_who_the_box_is() {
        let long = |text: &str| Name::try_from(text.to_owned()).unwrap();
        for (site, device) in [("c", "1"), ("university-hospital-of-somewhere", "cart-of-thirty-two-characters-07")] {
            let (site, device, key) = (long(site), long(device), DeviceKey::generate().unwrap());
            let card = Card { site: &site, device: &device, key: key.public() };
            let mut reader = png::Decoder::new(std::io::Cursor::new(card.png())).read_info().unwrap();
            let (width, height) = (reader.info().width as usize, reader.info().height as usize);
            let stride = width.div_ceil(8);
            let mut rows = vec![0; stride * height];
            reader.next_frame(&mut rows).unwrap();
            let grey = |x: usize, y: usize| if rows[y * stride + x / 8] & (0x80 >> (x % 8)) == 0 { 0 } else { 255 };
            let image: Vec<u8> =
                (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| grey(x, y)).collect();
            let mut decoder = quircs::Quirc::default();
            let codes: Vec<_> = decoder.identify(width, height, &image).collect();
            assert_eq!(codes.len(), 1);
            let content = String::from_utf8(codes[0].as_ref().unwrap().decode().unwrap().payload).unwrap();
            assert_eq!(content, card.coded());
            let said: serde_json::Value = serde_json::from_str(&content).unwrap();
            assert_eq!((said["site"].as_str(), said["device"].as_str()), (Some(site.as_str()), Some(device.as_str())));
            let enrolled = PublicKey::parse(&said["key"].to_string()).unwrap();
            assert_eq!(enrolled.id(), key.id());
            assert!(card.text().contains(key.id()) && card.text().contains(site.as_str()));
            assert_eq!(card.png(), card.png());
        }
    }

    #[test]
    fn the_sums_are_those_of_the_standards() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
    }
}
