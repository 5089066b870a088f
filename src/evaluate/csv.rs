//! CSV as spreadsheets write it (RFC 4180): quoted fields, either line end, a byte-order mark.
//!
//! It knows lines and fields and nothing of what they mean.

/// One record: the line that it starts on, counted from 1, and its fields.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub line: usize,
    pub fields: Vec<String>,
}

/// Every record of `text`; blank lines are none.
///
/// # Errors
/// The line on which a quoted field starts that never ends.
pub(super) fn records(text: &str) -> Result<Vec<Record>, usize> {
    let mut reader = Reader { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
    let mut records = Vec::new();
    while !reader.rest.is_empty() {
        let line = reader.line;
        let mut fields = vec![reader.field()?];
        while reader.passes(",") {
            fields.push(reader.field()?);
        }
        reader.end_line();
        if fields.iter().any(|field| !field.trim().is_empty()) {
            records.push(Record { line, fields });
        }
    }
    Ok(records)
}

/// `text` as one field, quoted where it must be.
pub(super) fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    /// Takes `what` off where it stands next.
    fn passes(&mut self, what: &str) -> bool {
        let rest = self.rest.strip_prefix(what);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn end_line(&mut self) {
        let _ = self.passes("\r");
        let _ = self.passes("\n");
        self.line += 1;
    }

    /// The text up to one of `ends`, or all of it.
    fn until(&mut self, ends: &[char]) -> String {
        let (text, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        self.line += text.matches('\n').count();
        text.to_owned()
    }

    fn field(&mut self) -> Result<String, usize> {
        let start = self.line;
        let mut field = String::new();
        if self.passes("\"") {
            loop {
                field += &self.until(&['"']);
                if !self.passes("\"") {
                    return Err(start);
                }
                // A doubled quote is one inside the field.
                if !self.passes("\"") {
                    break;
                }
                field.push('"');
            }
        }
        // What follows a closing quote belongs to the field, as lenient readers have it.
        field += &self.until(&[',', '\r', '\n']);
        Ok(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<(usize, Vec<String>)> {
        records(text).unwrap().into_iter().map(|r| (r.line, r.fields)).collect()
    }

    #[test]
    fn quotes_commas_line_ends_and_blank_lines_are_read_as_spreadsheets_write_them() {
        let text = "\u{feff}a,b\r\n\"x,\"\"y\"\"\nz\",2\n\n,\n3,\"\"";
        let wanted = [(1, ["a", "b"]), (2, ["x,\"y\"\nz", "2"]), (6, ["3", ""])];
        let wanted: Vec<_> = wanted.iter().map(|(l, f)| (*l, f.map(str::to_owned).to_vec())).collect();
        assert_eq!(fields(text), wanted);
    }

    #[test]
    fn a_quote_that_never_ends_is_named_by_its_line() {
        assert_eq!(records("a\n1\n\"x\ny\n"), Err(3));
    }

    #[test]
    fn what_is_quoted_is_read_back() {
        for text in ["plain", "a,b", "say \"so\"", "two\nlines", ""] {
            let line = format!("first,{}\n", quoted(text));
            assert_eq!(fields(&line)[0].1, ["first", text]);
        }
    }
}
