//! Small real files for the demo, made here: a PDF, a PNG and texts.

use std::io::Write;

use anyhow::bail;
use flate2::Compression;
use flate2::write::ZlibEncoder;

/// A one-page PDF 1.4 with these lines.
pub fn pdf(lines: &[&str]) -> Vec<u8> {
    let mut content = String::from("BT /F1 12 Tf 72 760 Td 16 TL\n");
    for line in lines {
        let escaped: String = line
            .chars()
            .filter(char::is_ascii)
            .flat_map(|c| if matches!(c, '(' | ')' | '\\') { vec!['\\', c] } else { vec![c] })
            .collect();
        content.push_str(&format!("({escaped}) Tj T*\n"));
    }
    content.push_str("ET\n");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> >> >>".to_owned(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{content}endstream", content.len()),
    ];
    let mut file = String::from("%PDF-1.4\n");
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", index + 1));
    }
    let start = file.len();
    file.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    for offset in offsets {
        file.push_str(&format!("{offset:010} 00000 n \n"));
    }
    file.push_str(&format!(
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n",
        objects.len() + 1
    ));
    file.into_bytes()
}

/// A PNG of coloured bars: a drawing of who spoke how often.
pub fn png() -> std::io::Result<Vec<u8>> {
    const WIDTH: u32 = 160;
    const HEIGHT: u32 = 96;
    const BARS: [(u32, [u8; 3]); 4] =
        [(80, [31, 78, 121]), (56, [46, 117, 89]), (68, [191, 129, 45]), (44, [140, 81, 110])];
    let mut rows = Vec::new();
    for y in 0..HEIGHT {
        // Filter type 0 before each row.
        rows.push(0);
        for x in 0..WIDTH {
            let bar = BARS
                .get(usize::try_from(x / 40).unwrap_or(0))
                .filter(|(height, _)| x % 40 >= 8 && HEIGHT - y <= *height);
            rows.extend_from_slice(&bar.map_or([250, 248, 244], |(_, colour)| *colour));
        }
    }
    let mut deflated = ZlibEncoder::new(Vec::new(), Compression::default());
    deflated.write_all(&rows)?;
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    header.extend_from_slice(&WIDTH.to_be_bytes());
    header.extend_from_slice(&HEIGHT.to_be_bytes());
    header.extend_from_slice(&[8, 2, 0, 0, 0]);
    chunk(&mut file, b"IHDR", &header);
    chunk(&mut file, b"IDAT", &deflated.finish()?);
    chunk(&mut file, b"IEND", &[]);
    Ok(file)
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    file.extend_from_slice(&u32::try_from(data.len()).unwrap_or(0).to_be_bytes());
    let mut checksum = flate2::Crc::new();
    checksum.update(kind);
    checksum.update(data);
    file.extend_from_slice(kind);
    file.extend_from_slice(data);
    file.extend_from_slice(&checksum.sum().to_be_bytes());
}

/// A file that fits one of these media types.
pub fn file_for(media: &[String], title: &str) -> anyhow::Result<(String, Vec<u8>)> {
    let takes = |wanted: &str| media.iter().any(|media_type| media_type == wanted);
    if takes("image/png") {
        return Ok(("who-spoke.png".to_owned(), png()?));
    }
    if takes("text/plain") || takes("text/markdown") {
        let name = if takes("text/plain") { "notes.txt" } else { "notes.md" };
        let text = format!(
            "{title}\n\nThree roles took part. We agreed on one question, heard everybody once, then decided by consent.\n"
        );
        return Ok((name.to_owned(), text.into_bytes()));
    }
    if takes("application/pdf") {
        let lines = [
            title,
            "",
            "Purpose: retell a story in order, with a picture for each part.",
            "Group: four learners, initials only. Materials: six picture cards.",
            "Signal: a raised green card calls the teacher.",
            "Check 1 after the second card; check 2 before the end.",
            "Adjusted: two cards at a time for one learner.",
        ];
        return Ok(("page.pdf".to_owned(), pdf(&lines)));
    }
    bail!("the demo makes no file of the types {}", media.join(", "))
}

/// What the earners write.
pub fn answer_for(title: &str, prompt: &str) -> &'static str {
    let is_small_group = title.contains("Small-Group");
    match (is_small_group, prompt) {
        (true, "q1") => {
            "Four learners in year four who retell stories out of order. The teacher and I agreed that I would lead twelve minutes \
             with picture cards, let each learner place and tell one part, and call the teacher with the green card if two were lost."
        }
        (true, _) => {
            "I will again wait five seconds after each question: J. spoke for the first time. Next time I will begin with two cards, \
             because four at once were too many for one learner."
        }
        (false, "q1") => {
            "Three teachers, a counselor and an instructional assistant; the front office was missing. The group could decide the \
             schedule of the advisory period, within the minutes of the bell plan."
        }
        (false, "q2") => {
            "We began from late starts on Monday and found that the duty roster, not the students, was the cause. One priority: a \
             roster that everybody can keep."
        }
        (false, "r1") => {
            "I assumed that silence meant agreement. In the second round the assistant named the problem that all of us had missed; \
             since then I ask each person for one objection before we decide."
        }
        (false, _) => {
            "Next time I would hand the notes to somebody else and keep the question. The decision held because the people who carry \
             it had shaped it."
        }
    }
}
