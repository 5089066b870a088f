//! What becomes of an image that no reader survived: a failure that still says whether
//! it is a test image, and a file out of the reader's reach.

use log::{info, warn};

use crate::instance::Instance;
use crate::publish::{Alert, AlertKind};
use crate::reader;
use crate::report::reading::{Reading, Reason};
use crate::store::{Store, StoredInstance};
use crate::study::Study;

/// The failure of `instance`. Of its header the gateway's own validator looks at what
/// must not get lost: whether this is a patient's image or a test object's.
pub fn failure(instance: &StoredInstance, reason: Reason) -> Reading {
    let test = Instance::inspect(&instance.instance.path).is_ok_and(|(_, headers)| headers.quality_control);
    reader::failed(reason, test.then(|| Study::of_test_object(&instance.instance)))
}

/// Moves the file of instance `id`, whose failure was sealed as `report_id`; what to tell the site.
pub fn quarantine(store: &Store, id: i64, report_id: &str) -> Alert {
    let message = match store.quarantine(id) {
        Ok(path) => {
            let name = path.file_name().unwrap_or_default().display().to_string();
            format!("no reader survived this image: it was not read, and is kept for an engineer as quarantine/{name}")
        }
        Err(e) => {
            warn!("quarantine: {e}; tried again at the next start");
            "no reader survived this image: it was not read".to_owned()
        }
    };
    Alert { kind: AlertKind::InstanceQuarantined, report_id: Some(report_id.to_owned()), message }
}

/// At the start: what a kill left between a failure's seal and its quarantine.
pub fn resume(store: &Store, strikes: u32) {
    match store.quarantine_the_rest(strikes) {
        Ok(0) => {}
        Ok(moved) => info!("moved {moved} images that no reader survived into quarantine"),
        Err(e) => warn!("quarantine: {e}; tried again at the next start"),
    }
}
