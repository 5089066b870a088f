//! The certificate as one page to print: nothing is loaded, nothing runs.

use std::fmt::Write as _;

use super::{Certificate, Mark, Verdict};
use crate::digest::Digest;

const STYLE: &str = "body{font:13px/1.35 system-ui,sans-serif;color:#111;background:#fff;max-width:50rem;margin:1.5rem auto;\
padding:0 1rem}h1{font-size:1.3rem;margin:0}.result{font-size:1.6rem;font-weight:700;border:3px solid;padding:.2rem .8rem;\
float:right}.passed{color:#060}.failed{color:#b00}.not-exercised{color:#555}table{border-collapse:collapse;width:100%;\
margin:.8rem 0}th,td{border:1px solid #bbb;padding:.15rem .4rem;text-align:left;vertical-align:top}th{background:#eee}\
td.mark{white-space:nowrap;font-weight:600}td.ms{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\
code{font-size:.85em;word-break:break-all}.sign{margin-top:2rem;display:flex;gap:3rem}.sign div{border-top:1px solid;\
flex:1;padding-top:.2rem}@media print{@page{size:A4;margin:12mm}body{margin:0;font-size:10px}}";

/// The whole page.
pub(super) fn page(certificate: &Certificate, key_id: &str, jws: &str) -> String {
    let Certificate { site, device, software, board, .. } = certificate;
    let (verdict, class) = match certificate.result {
        Verdict::Passed => ("PASSED", "passed"),
        Verdict::Failed => ("FAILED", "failed"),
    };
    let title = format!("Acceptance of {device} at {site}");
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title><style>{STYLE}</style></head>\n\
         <body>\n<div class=\"result {class}\">{verdict}</div>\n<h1>{0}</h1>\n<p>residentd {1}. Not a medical device.</p>\n<table>\n",
        escaped(&title),
        escaped(software)
    );
    let clock = if certificate.clock_synchronised { "synchronised clock" } else { "CLOCK NOT SYNCHRONISED" };
    let bundles: Vec<String> =
        certificate.bundles.iter().map(|b| format!("{} {} (manifest {})", b.name, b.version, b.sha256)).collect();
    let outcomes = certificate.outcomes.map_or("none".to_owned(), |span| format!("{} to {}", span.first, span.last));
    for (name, value) in [
        ("Device", format!("{device}, AE title {}", certificate.ae_title)),
        ("Board", board.clone()),
        ("Key fingerprint", key_id.to_owned()),
        ("Configuration (SHA-256)", certificate.config_sha256.to_string()),
        ("Model bundles", bundles.join("; ")),
        ("Time", format!("{} to {} ({clock})", certificate.began, certificate.ended)),
        ("Outcomes made", outcomes),
    ] {
        let _ = writeln!(page, "<tr><th>{name}</th><td><code>{}</code></td></tr>", escaped(&value));
    }
    page.push_str("</table>\n<table>\n<tr><th>Step</th><th>Result</th><th>What was seen</th><th>Time</th></tr>\n");
    for step in &certificate.steps {
        let (word, class) = match step.mark {
            Mark::Passed => ("&#10003; passed", "passed"),
            Mark::NotExercised => ("&ndash; not exercised", "not-exercised"),
            Mark::Failed => ("&#10007; FAILED", "failed"),
        };
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td class=\"mark {class}\">{word}</td><td>{}</td><td class=\"ms\">{} ms</td></tr>",
            escaped(&step.what),
            escaped(&step.seen),
            step.ms
        );
    }
    page.push_str("</table>\n");
    if jws.is_empty() {
        page.push_str("<p class=\"failed\">This page is NOT SIGNED: the device's key could not be used.</p>\n");
    } else {
        let _ = writeln!(
            page,
            "<p>Signed by the device: the file beside this page has SHA-256 <code>{}</code>; \
             <code>residentd accept verify FILE --key device.pub.pem</code> checks it.</p>",
            Digest::of(jws.as_bytes())
        );
    }
    let engineer = certificate.engineer.as_deref().unwrap_or("");
    let _ = writeln!(
        page,
        "<div class=\"sign\"><div>Engineer: {}</div><div>Date</div><div>Signature</div></div>\n</body></html>",
        escaped(engineer)
    );
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
