//! The encoder once, then the decoder token by token: past keys and values go out of one step
//! and into the next, the memory that it attends to is computed once.

use super::graph::{Graph, Session, Value};
use super::manifest::{DecoderSpec, InputSpec, WriterManifest};
use crate::infer::model::ModelError;

/// Both graphs of a writer, held against its manifest.
pub struct Decoder {
    encoder: Graph,
    step: Graph,
    /// Where each tensor of the memory stands among the encoder's outputs.
    memory_outputs: Vec<usize>,
    /// What fills each input of the decoder.
    fill: Vec<Fill>,
    /// Where the logits stand among the decoder's outputs.
    logits: usize,
    /// Where each key and value stands among the decoder's outputs, as [`Past`] holds them.
    present: Vec<usize>,
    empty_past: Value,
}

#[derive(Debug, Clone, Copy)]
enum Fill {
    Token,
    Position,
    Past(usize),
    Memory(usize),
}

/// What one input of the encoder is given.
pub enum Given {
    /// Tokens, i64 `[1, n]`.
    Tokens(Vec<u32>),
    /// An image, f32 `[1, 1, height, width]`.
    Image([usize; 2], Vec<f32>),
}

/// What the decoder attends to: keys and values of its cross-attention, by layer.
pub struct Memory(Vec<Value>);

/// Keys and values of the tokens so far.
#[derive(Clone)]
pub struct Past {
    values: Vec<Value>,
    length: u32,
}

/// A decoder while it writes one text.
pub struct Writing<'a> {
    decoder: &'a Decoder,
    session: Session,
    memory: Memory,
}

impl Decoder {
    /// Prepares both graphs and holds their tensors against the manifest.
    ///
    /// # Errors
    /// Not usable graphs, or they lack a tensor that the manifest names or have another.
    pub fn prepare(encoder: &[u8], decoder: &[u8], manifest: &WriterManifest) -> Result<Self, ModelError> {
        let (encoder, decoder) = (Graph::prepare(encoder)?, Graph::prepare(decoder)?);
        let spec = &manifest.decoder;
        let wanted: Vec<&str> = manifest.input.iter().map(InputSpec::tensor).collect();
        agrees("encoder inputs", encoder.inputs(), &wanted)?;
        let memory = spec.memory_names();
        let memory_outputs = memory
            .iter()
            .map(|(_, from)| place("encoder output", encoder.outputs(), from))
            .collect::<Result<_, _>>()?;
        let fill = decoder.inputs().iter().map(|name| filled(name, spec, &memory)).collect::<Result<Vec<_>, _>>()?;
        let (past, present) = (spec.each_layer(&spec.past), spec.each_layer(&spec.present));
        // The token, its position where there is one, and every key, value and memory.
        let inputs = 1 + usize::from(spec.position.is_some()) + past.len() + memory.len();
        if fill.len() != inputs {
            return Err(disagrees("number of decoder inputs", &fill.len().to_string(), &inputs.to_string()));
        }
        let present =
            present.iter().map(|name| place("decoder output", decoder.outputs(), name)).collect::<Result<_, _>>()?;
        let logits = place("decoder output", decoder.outputs(), &spec.logits)?;
        let empty_past = Value::floats(&[1, spec.heads, 0, spec.head_width], &[])?;
        Ok(Self { encoder, step: decoder, memory_outputs, fill, logits, present, empty_past })
    }

    /// Products of both graphs that our int8 kernels compute.
    #[must_use]
    pub const fn int8_products(&self) -> usize {
        self.encoder.int8_products() + self.step.int8_products()
    }

    /// Begins a text: runs the encoder on `given`, in the manifest's order of inputs.
    ///
    /// # Errors
    /// Tract failed.
    pub fn begin(&self, given: Vec<Given>) -> Result<Writing<'_>, ModelError> {
        let inputs = given.into_iter().map(|given| match given {
            Given::Tokens(tokens) => Ok(Value::tokens(&tokens)),
            Given::Image([height, width], pixels) => Value::floats(&[1, 1, height, width], &pixels),
        });
        let outputs = self.encoder.session()?.run(inputs.collect::<Result<Vec<_>, _>>()?)?;
        let memory = Memory(self.memory_outputs.iter().map(|&at| outputs[at].clone()).collect());
        Ok(Writing { decoder: self, session: self.step.session()?, memory })
    }
}

impl Writing<'_> {
    /// The past of a text without tokens.
    #[must_use]
    pub fn nothing_yet(&self) -> Past {
        Past { values: vec![self.decoder.empty_past.clone(); self.decoder.present.len()], length: 0 }
    }

    /// One step: the logits of the token that follows `token`, which joins `past`.
    ///
    /// # Errors
    /// Tract failed, or a logit is not finite.
    pub fn step(&mut self, past: &mut Past, token: u32) -> Result<Vec<f32>, ModelError> {
        let inputs = self.decoder.fill.iter().map(|fill| match *fill {
            Fill::Token => Value::tokens(&[token]),
            Fill::Position => Value::position(past.length),
            Fill::Past(i) => past.values[i].clone(),
            Fill::Memory(i) => self.memory.0[i].clone(),
        });
        let outputs = self.session.run(inputs)?;
        past.values.clear();
        past.values.extend(self.decoder.present.iter().map(|&at| outputs[at].clone()));
        past.length += 1;
        let logits = outputs[self.decoder.logits].as_floats()?;
        match logits.iter().position(|l| !l.is_finite()) {
            Some(at) => Err(ModelError::NotFinite(at)),
            None => Ok(logits),
        }
    }
}

fn filled(name: &str, spec: &DecoderSpec, memory: &[(String, String)]) -> Result<Fill, ModelError> {
    if name == spec.token {
        return Ok(Fill::Token);
    }
    if spec.position.as_deref() == Some(name) {
        return Ok(Fill::Position);
    }
    let past = spec.each_layer(&spec.past).iter().position(|past| past == name).map(Fill::Past);
    let fill = past.or_else(|| memory.iter().position(|(to, _)| to == name).map(Fill::Memory));
    fill.ok_or_else(|| disagrees("decoder input", name, "nothing of it"))
}

fn place(what: &'static str, names: &[String], wanted: &str) -> Result<usize, ModelError> {
    names.iter().position(|name| name == wanted).ok_or_else(|| disagrees(what, &names.join(", "), wanted))
}

fn agrees(what: &'static str, found: &[String], wanted: &[&str]) -> Result<(), ModelError> {
    if found == wanted { Ok(()) } else { Err(disagrees(what, &found.join(", "), &wanted.join(", "))) }
}

fn disagrees(what: &'static str, found: &str, wanted: &str) -> ModelError {
    ModelError::Disagrees { what, found: found.into(), wanted: wanted.into() }
}
