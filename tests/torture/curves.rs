//! Curves over a run: a CSV, a picture of small panels, and slopes.

use std::fmt::Write;
use std::path::Path;

/// Width and height of a panel in the picture, and its margins, in pixels.
const PANEL: (f64, f64) = (640.0, 150.0);
const MARGIN: (f64, f64) = (70.0, 28.0);
/// Colours that differ for every eye (Okabe and Ito 2008).
const COLOURS: [&str; 3] = ["#0072B2", "#D55E00", "#009E73"];

/// Values over the run, one row a sample; the first column is the abscissa.
pub struct Curves {
    names: Vec<&'static str>,
    rows: Vec<Vec<f64>>,
}

/// Columns that share a panel, by name.
pub struct Panel {
    pub title: &'static str,
    pub columns: &'static [&'static str],
}

impl Curves {
    pub fn new(names: &[&'static str]) -> Self {
        Self { names: names.to_vec(), rows: Vec::new() }
    }

    pub fn push(&mut self, row: Vec<f64>) {
        assert_eq!(row.len(), self.names.len());
        self.rows.push(row);
    }

    pub fn column(&self, name: &str) -> Vec<f64> {
        let at = self.names.iter().position(|n| *n == name).expect("a column of that name");
        self.rows.iter().map(|row| row[at]).collect()
    }

    /// Least-squares slope of a column over the abscissa, of the run's second half: the
    /// first half fills caches.
    pub fn slope(&self, name: &str) -> f64 {
        let from = self.rows.len() / 2;
        let (xs, ys) = (&self.column(self.names[0])[from..], &self.column(name)[from..]);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let (mx, my) = (mean(xs), mean(ys));
        let (mut above, mut below) = (0.0, 0.0);
        for (x, y) in xs.iter().zip(ys) {
            above += (x - mx) * (y - my);
            below += (x - mx) * (x - mx);
        }
        if below > 0.0 { above / below } else { 0.0 }
    }

    pub fn csv(&self) -> String {
        let mut text = self.names.join(",");
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(|value| format!("{value:.3}")).collect();
            let _ = write!(text, "\n{}", cells.join(","));
        }
        text + "\n"
    }

    pub fn svg(&self, title: &str, panels: &[Panel]) -> String {
        let (width, height) = (PANEL.0 + 2.0 * MARGIN.0, panels.len() as f64 * (PANEL.1 + 2.0 * MARGIN.1) + 40.0);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"{}\" y=\"22\" font-size=\"14\">{title}</text>\n",
            MARGIN.0
        );
        for (number, panel) in panels.iter().enumerate() {
            self.panel(&mut svg, panel, 40.0 + number as f64 * (PANEL.1 + 2.0 * MARGIN.1) + MARGIN.1);
        }
        svg + "</svg>\n"
    }

    fn panel(&self, svg: &mut String, panel: &Panel, top: f64) {
        let xs = self.column(self.names[0]);
        let columns: Vec<Vec<f64>> = panel.columns.iter().map(|name| self.column(name)).collect();
        let greatest = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::MIN_POSITIVE, f64::max);
        let (most_x, most_y) =
            (greatest(&mut xs.iter().copied()), greatest(&mut columns.iter().flatten().copied()) * 1.1);
        let (left, bottom) = (MARGIN.0, top + PANEL.1);
        let _ = write!(
            svg,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#999\"/>\n\
             <text x=\"{left}\" y=\"{}\">{}</text>\n\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{most_y:.1}</text>\n<text x=\"{}\" y=\"{bottom}\" text-anchor=\"end\">0</text>\n\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{most_x:.0} {}</text>\n",
            PANEL.0,
            PANEL.1,
            top - 6.0,
            panel.title,
            left - 4.0,
            top + 10.0,
            left - 4.0,
            left + PANEL.0,
            bottom + 14.0,
            self.names[0]
        );
        for (number, (name, ys)) in panel.columns.iter().zip(&columns).enumerate() {
            let colour = COLOURS[number % COLOURS.len()];
            let points: Vec<String> = xs
                .iter()
                .zip(ys)
                .map(|(x, y)| format!("{:.1},{:.1}", left + x / most_x * PANEL.0, bottom - y / most_y * PANEL.1))
                .collect();
            let _ = write!(
                svg,
                "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.2\" points=\"{}\"/>\n\
                 <text x=\"{}\" y=\"{}\" fill=\"{colour}\">{name}</text>\n",
                points.join(" "),
                left + 260.0 + 130.0 * number as f64,
                top - 6.0
            );
        }
    }

    /// Writes `NAME.csv` and `NAME.svg` into `folder`.
    pub fn save(&self, folder: &Path, name: &str, title: &str, panels: &[Panel]) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join(format!("{name}.csv")), self.csv())?;
        std::fs::write(folder.join(format!("{name}.svg")), self.svg(title, panels))
    }
}
