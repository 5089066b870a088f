//! Reading a `Study` out of a parsed data set.
//!
//! What is missing or wrong becomes `None`; only an image without identity is an
//! error. No value reaches a `Study` longer than a bound or with control characters.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, InMemDicomObject};

use super::{Age, MAX_ORDER_TEXTS, Sex, Study, Subject, codes};
use crate::instance::uid::Uid;

/// LO is at most 64 characters (PS3.5 6.2); twice that is kept of those who write more.
const LONGEST_TEXT_CHARS: usize = 128;
/// Reason for Study: retired from the standard, and still sent.
const REASON_FOR_STUDY: Tag = Tag(0x0032, 0x1002);
/// Mean Gregorian year, for ages counted in days.
const DAYS_PER_YEAR: f32 = 365.2425;

/// Why there is no `Study` of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StudyError {
    /// Neither data set nor file meta hold a valid SOP Class UID.
    #[error("no valid SOP Class UID (0008,0016)")]
    NoSopClass,
    /// Neither data set nor file meta hold a valid SOP Instance UID.
    #[error("no valid SOP Instance UID (0008,0018)")]
    NoSopInstance,
}

impl Study {
    /// Reads the header of `object`.
    ///
    /// # Errors
    /// When SOP Class UID or SOP Instance UID are missing or no UIDs, in the data set
    /// and in the file meta group.
    pub fn from_object(object: &DefaultDicomObject) -> Result<Self, StudyError> {
        let meta = object.meta();
        let date = text(object, tags::STUDY_DATE).and_then(|text| Date::parse(&text));
        Ok(Self {
            sop_class_uid: uid(object, tags::SOP_CLASS_UID)
                .or_else(|| meta.media_storage_sop_class_uid.parse().ok())
                .ok_or(StudyError::NoSopClass)?,
            sop_instance_uid: uid(object, tags::SOP_INSTANCE_UID)
                .or_else(|| meta.media_storage_sop_instance_uid.parse().ok())
                .ok_or(StudyError::NoSopInstance)?,
            study_instance_uid: uid(object, tags::STUDY_INSTANCE_UID),
            series_instance_uid: uid(object, tags::SERIES_INSTANCE_UID),
            accession_number: text(object, tags::ACCESSION_NUMBER),
            patient_id: text(object, tags::PATIENT_ID),
            patient_id_issuer: text(object, tags::ISSUER_OF_PATIENT_ID),
            modality: code(object, tags::MODALITY),
            body_part: code(object, tags::BODY_PART_EXAMINED)
                .or_else(|| coded(object, tags::ANATOMIC_REGION_SEQUENCE, codes::region)),
            view: code(object, tags::VIEW_POSITION).or_else(|| coded(object, tags::VIEW_CODE_SEQUENCE, codes::view)),
            age: age(object, date),
            sex: sex(object),
            study_description: text(object, tags::STUDY_DESCRIPTION),
            order: order(object),
            manufacturer: text(object, tags::MANUFACTURER),
            started: started(
                date,
                text(object, tags::STUDY_TIME).as_deref(),
                text(object, tags::TIMEZONE_OFFSET_FROM_UTC).as_deref(),
            ),
            subject: match code(object, tags::QUALITY_CONTROL_IMAGE).as_deref() {
                Some("YES") => Subject::TestObject,
                _ => Subject::Patient,
            },
        })
    }
}

/// The first value of a text element, bounded and clean; `None` where nothing is left.
fn text(object: &InMemDicomObject, tag: Tag) -> Option<String> {
    let value = object.get(tag)?.to_str().ok()?;
    // A backslash separates values (PS3.5 6.4).
    let first = value.split('\\').next()?;
    let clean: String =
        first.chars().filter(|c| !c.is_control()).take(LONGEST_TEXT_CHARS).collect::<String>().trim().to_owned();
    (!clean.is_empty()).then_some(clean)
}

/// The order's texts, those of its requests after those of the data set.
fn order(object: &InMemDicomObject) -> Vec<String> {
    const TEXTS: [Tag; 5] = [
        REASON_FOR_STUDY,
        tags::REASON_FOR_THE_REQUESTED_PROCEDURE,
        tags::REQUESTED_PROCEDURE_DESCRIPTION,
        tags::PERFORMED_PROCEDURE_STEP_DESCRIPTION,
        tags::STUDY_DESCRIPTION,
    ];
    let requests =
        object.get(tags::REQUEST_ATTRIBUTES_SEQUENCE).and_then(|element| element.items()).unwrap_or_default();
    let all = std::iter::once(object).chain(requests);
    all.flat_map(|object| TEXTS.iter().filter_map(|tag| text(object, *tag))).take(MAX_ORDER_TEXTS).collect()
}

/// A coded string (CS, PS3.5 6.2): upper case.
fn code(object: &InMemDicomObject, tag: Tag) -> Option<String> {
    text(object, tag).map(|text| text.to_uppercase())
}

/// What the one item of a code sequence (PS3.3 8.8) means by `table`; several items
/// would be several meanings, and none is taken.
fn coded(object: &InMemDicomObject, tag: Tag, table: impl Fn(&str, &str) -> Option<&'static str>) -> Option<String> {
    let [item] = object.get(tag)?.items()? else { return None };
    let (scheme, code) = (text(item, tags::CODING_SCHEME_DESIGNATOR)?, text(item, tags::CODE_VALUE)?);
    table(&scheme, &code).map(str::to_owned)
}

fn uid(object: &InMemDicomObject, tag: Tag) -> Option<Uid> {
    object.get(tag)?.to_str().ok()?.trim().parse().ok()
}

fn sex(object: &InMemDicomObject) -> Option<Sex> {
    match code(object, tags::PATIENT_SEX)?.as_str() {
        "F" => Some(Sex::Female),
        "M" => Some(Sex::Male),
        "O" => Some(Sex::Other),
        _ => None,
    }
}

fn age(object: &InMemDicomObject, study_date: Option<Date>) -> Age {
    let stated = text(object, tags::PATIENT_AGE).and_then(|text| age_string(&text));
    let born = text(object, tags::PATIENT_BIRTH_DATE).and_then(|text| Date::parse(&text));
    let derived =
        study_date.zip(born).map(|(study, born)| (study.day_number() - born.day_number()) as f32 / DAYS_PER_YEAR);
    Age::of(stated, derived)
}

/// An age string (AS, PS3.5 6.2): three digits and D, W, M or Y. Fewer digits are taken too.
fn age_string(text: &str) -> Option<f32> {
    let digits = text.get(..text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: f32 = digits.parse().ok()?;
    match text.as_bytes().last()?.to_ascii_uppercase() {
        b'Y' => Some(count),
        b'M' => Some(count / 12.0),
        b'W' => Some(count * 7.0 / DAYS_PER_YEAR),
        b'D' => Some(count / DAYS_PER_YEAR),
        _ => None,
    }
}

/// A calendar date that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Date(time::Date);

impl Date {
    /// DA: `YYYYMMDD` (PS3.5 6.2), or with dots as ACR-NEMA wrote it.
    fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| *c != '.').collect();
        if digits.len() != 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let month: u8 = digits[4..6].parse().ok()?;
        let month = time::Month::try_from(month).ok()?;
        time::Date::from_calendar_date(digits[..4].parse().ok()?, month, digits[6..].parse().ok()?).ok().map(Self)
    }

    fn day_number(self) -> i32 {
        self.0.to_julian_day()
    }
}

/// FHIR `dateTime`: a time of day needs its zone there, so it is written only where the
/// header states Timezone Offset From UTC (0008,0201), and the date alone otherwise.
fn started(date: Option<Date>, time: Option<&str>, offset: Option<&str>) -> Option<String> {
    let date = date?.0;
    let day = format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day());
    let clock = time.and_then(clock).zip(offset.and_then(zone));
    let Some(((hour, minute, second), zone)) = clock else { return Some(day) };
    Some(format!("{day}T{hour:02}:{minute:02}:{second:02}{zone}"))
}

/// `+HHMM` or `-HHMM` as FHIR writes it; from -12 to +14 hours (PS3.3 C.12.1.1.8).
fn zone(text: &str) -> Option<String> {
    let (sign, digits) = text.split_at_checked(1)?;
    if !matches!(sign, "+" | "-") || digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at(2);
    let (h, m) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
    let farthest = if sign == "-" { 12 } else { 14 };
    (m < 60 && h * 60 + m <= farthest * 60).then(|| format!("{sign}{hours}:{minutes}"))
}

/// TM: `HHMMSS.FFFFFF`, minutes, seconds and fraction optional (PS3.5 6.2).
fn clock(text: &str) -> Option<(u8, u8, u8)> {
    let digits: String = text.split('.').next()?.chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4 | 6) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |at: usize| digits.get(at..at + 2).map_or(Some(0), |two| two.parse::<u8>().ok());
    let (hour, minute, second) = (part(0)?, part(2)?, part(4)?);
    // A leap second is 60 in DICOM and no second in FHIR.
    (hour < 24 && minute < 60 && second <= 60).then_some((hour, minute, second.min(59)))
}

#[cfg(test)]
mod tests {
    use dicom_core::value::DataSetSequence;
    use dicom_core::{DataElement, Length, PrimitiveValue, VR};
    use dicom_object::FileMetaTableBuilder;

    use super::*;

    fn object(elements: &[(Tag, VR, &str)]) -> DefaultDicomObject {
        with_meta(data_set(elements))
    }

    fn data_set(elements: &[(Tag, VR, &str)]) -> InMemDicomObject {
        let elements = elements.iter().map(|&(tag, vr, value)| DataElement::new(tag, vr, PrimitiveValue::from(value)));
        InMemDicomObject::from_element_iter(elements)
    }

    fn with_meta(object: InMemDicomObject) -> DefaultDicomObject {
        let meta = FileMetaTableBuilder::new()
            .transfer_syntax("1.2.840.10008.1.2.1")
            .media_storage_sop_class_uid("1.2.840.10008.5.1.4.1.1.1.1")
            .media_storage_sop_instance_uid("2.25.7");
        object.with_meta(meta).unwrap()
    }

    #[test]
    fn a_bare_object_has_the_identity_of_its_file_meta_and_nothing_else() {
        let study = Study::from_object(&object(&[])).unwrap();
        assert_eq!(study.sop_instance_uid.as_str(), "2.25.7");
        assert_eq!((study.modality, study.age, study.started), (None, Age::Unknown, None));
        assert_eq!(study.subject, Subject::Patient);
    }

    #[test]
    fn codes_are_upper_case_and_texts_bounded_without_control_characters() {
        let long = format!("a\u{1b}b{}", "c".repeat(400));
        let study = Study::from_object(&object(&[
            (tags::MODALITY, VR::CS, " dx "),
            (tags::STUDY_DESCRIPTION, VR::LO, &long),
            (tags::QUALITY_CONTROL_IMAGE, VR::CS, "YES"),
            (tags::PATIENT_SEX, VR::CS, "x"),
        ]))
        .unwrap();
        assert_eq!(study.modality.as_deref(), Some("DX"));
        let description = study.study_description.unwrap();
        assert!(description.starts_with("abc") && description.chars().count() == LONGEST_TEXT_CHARS);
        assert_eq!((study.subject, study.sex), (Subject::TestObject, None));
    }

    #[test]
    fn age_comes_from_the_age_string_else_from_the_dates_else_from_nowhere() {
        let age = |elements: &[_]| Study::from_object(&object(elements)).unwrap().age.years();
        for (text, years) in
            [("045Y", 45.0), ("018M", 1.5), ("003W", 21.0 / DAYS_PER_YEAR), ("010D", 10.0 / DAYS_PER_YEAR)]
        {
            assert!((age(&[(tags::PATIENT_AGE, VR::AS, text)]).unwrap() - years).abs() < 1e-6, "{text}");
        }
        let dates = [(tags::PATIENT_BIRTH_DATE, VR::DA, "19800229"), (tags::STUDY_DATE, VR::DA, "20200229")];
        assert!((age(&dates).unwrap() - 40.0).abs() < 0.01);
        for text in ["", "Y", "999Y", "-12Y", "45", "4x5Y", "ÄY"] {
            assert_eq!(age(&[(tags::PATIENT_AGE, VR::AS, text)]), None, "{text}");
        }
    }

    #[test]
    fn an_age_that_contradicts_the_birth_date_is_no_age_and_says_why() {
        let age = |years: &str| {
            let elements = [
                (tags::PATIENT_AGE, VR::AS, years),
                (tags::PATIENT_BIRTH_DATE, VR::DA, "19800229"),
                (tags::STUDY_DATE, VR::DA, "20200801"),
            ];
            Study::from_object(&object(&elements)).unwrap().age
        };
        assert_eq!(age("040Y"), Age::Known(40.0));
        assert_eq!(age("004Y"), Age::Contradictory);
        assert_eq!(age("042Y"), Age::Contradictory);
        assert!((age("").years().unwrap() - 40.4).abs() < 0.1);
    }

    #[test]
    fn view_and_body_part_come_from_their_codes_where_the_plain_attribute_is_empty() {
        let read = |plain: &str, codes: &[(&str, &str, &str, &str)]| {
            let mut object =
                data_set(&[(tags::VIEW_POSITION, VR::CS, plain), (tags::BODY_PART_EXAMINED, VR::CS, plain)]);
            for (tag, pick) in [(tags::VIEW_CODE_SEQUENCE, 0), (tags::ANATOMIC_REGION_SEQUENCE, 1)] {
                let items: Vec<_> = codes
                    .iter()
                    .map(|c| [(c.0, c.1), (c.2, c.3)][pick])
                    .map(|(scheme, code)| {
                        data_set(&[(tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme), (tags::CODE_VALUE, VR::SH, code)])
                    })
                    .collect();
                object.put(DataElement::new(tag, VR::SQ, DataSetSequence::new(items, Length::UNDEFINED)));
            }
            let study = Study::from_object(&with_meta(object)).unwrap();
            (study.view.unwrap_or_default(), study.body_part.unwrap_or_default())
        };
        let pair = |view: &str, part: &str| (view.to_owned(), part.to_owned());
        assert_eq!(read("", &[("SCT", "399348003", "SCT", "816094009")]), pair("AP", "CHEST"));
        assert_eq!(read("", &[("SRT", "R-10206", "SRT", "T-D3000")]), pair("AP", "CHEST"));
        assert_eq!(read("", &[("SCT", "272479007", "SCT", "51185008")]), pair("PA", "CHEST"));
        assert_eq!(read("", &[("SRT", "272479007", "99X", "816094009")]), pair("", ""));
        assert_eq!(read("", &[("SCT", "272479007", "SCT", "51185008"); 2]), pair("", ""));
        assert_eq!(read("xx", &[("SCT", "272479007", "SCT", "51185008")]), pair("XX", "XX"));
        assert_eq!(read("", &[]), pair("", ""));
    }

    #[test]
    fn a_time_is_only_written_with_its_zone_and_beside_a_date_that_exists() {
        let started = |date: &str, time: &str, zone: &str| {
            let elements = [
                (tags::STUDY_DATE, VR::DA, date),
                (tags::STUDY_TIME, VR::TM, time),
                (tags::TIMEZONE_OFFSET_FROM_UTC, VR::SH, zone),
            ];
            Study::from_object(&object(&elements)).unwrap().started
        };
        assert_eq!(started("20240131", "070809.12", "-0430").as_deref(), Some("2024-01-31T07:08:09-04:30"));
        assert_eq!(started("20240131", "070809.12", "").as_deref(), Some("2024-01-31"));
        assert_eq!(started("20240131", "99", "+0000").as_deref(), Some("2024-01-31"));
        assert_eq!(started("20240231", "0708", "+0100"), None);
        for beyond in ["-1300", "-1201", "+1459", "+1401", "+0960"] {
            assert_eq!(started("20240131", "07", beyond).as_deref(), Some("2024-01-31"), "{beyond}");
        }
        assert_eq!(started("20240131", "07", "-1200").as_deref(), Some("2024-01-31T07:00:00-12:00"));
        assert_eq!(started("20240131", "07", "+1400").as_deref(), Some("2024-01-31T07:00:00+14:00"));
    }

    #[test]
    fn the_order_is_read_from_the_data_set_and_its_requests_and_is_bounded() {
        let mut whole = data_set(&[(tags::STUDY_DESCRIPTION, VR::LO, "CHEST PA"), (REASON_FOR_STUDY, VR::LO, "cough")]);
        let request = || data_set(&[(tags::REASON_FOR_THE_REQUESTED_PROCEDURE, VR::LO, "pneumonia?")]);
        let requests = DataSetSequence::new((0..40).map(|_| request()).collect::<Vec<_>>(), Length::UNDEFINED);
        whole.put(DataElement::new(tags::REQUEST_ATTRIBUTES_SEQUENCE, VR::SQ, requests));
        let order = Study::from_object(&with_meta(whole)).unwrap().order;
        assert_eq!(order[..3], ["cough", "CHEST PA", "pneumonia?"]);
        assert_eq!(order.len(), MAX_ORDER_TEXTS);
        assert!(Study::from_object(&object(&[])).unwrap().order.is_empty());
    }

    #[test]
    fn debug_shows_no_patient() {
        let study = Study::from_object(&object(&[(tags::PATIENT_ID, VR::LO, "SECRET")])).unwrap();
        assert!(!format!("{study:?}").contains("SECRET"));
    }
}
