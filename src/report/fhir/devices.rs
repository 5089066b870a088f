//! Devices: the box, the algorithm inside it, and the phantom where there is no patient.

use serde_json::{Value, json};

use super::{Maker, codes};

impl Maker<'_> {
    /// The box: site and name, key, version of residentd.
    pub(super) fn device(&self) -> Value {
        let device = &self.context.device;
        json!({
            "resourceType": "Device",
            "identifier": [
                {"system": "urn:residentd:device", "value": self.device_name()},
                {
                    "type": {"text": "JWK thumbprint of the signing key (RFC 9278)"},
                    "system": codes::URI,
                    "value": format!("urn:ietf:params:oauth:jwk-thumbprint:sha-256:{}", device.key_id),
                },
            ],
            "status": "active",
            "deviceName": [{"name": self.device_name(), "type": "user-friendly-name"}],
            "type": {"text": "Imaging gateway that drafts reports (residentd)"},
            "version": [{"type": {"text": "residentd"}, "value": codes::clean(&device.software_version)}],
        })
    }

    /// The box's name in full: `site/name`.
    pub(super) fn device_name(&self) -> String {
        format!("{}/{}", self.context.device.site, self.context.device.name)
    }

    /// The model bundle that read the image, where one did.
    pub(super) fn algorithm(&self) -> Option<Value> {
        let bundle = &self.findings()?.bundle;
        let version = codes::clean(&bundle.version);
        let research = bundle.research_only.then(|| json!({"text": "For research only: not to be used for care."}));
        Some(json!({
            "resourceType": "Device",
            "identifier": [codes::digest("SHA-256 of the model bundle's manifest", bundle.sha256)],
            "status": "active",
            "deviceName": [
                {"name": codes::clean(&bundle.title), "type": "user-friendly-name"},
                {"name": codes::clean(&bundle.name), "type": "model-name"},
            ],
            "type": {"text": "Image reading algorithm (model bundle)"},
            "version": [{"type": {"text": "model bundle"}, "value": version}],
            "note": research.into_iter().chain([json!({"text": codes::clean(&bundle.intended_use)})]).collect::<Vec<_>>(),
            "parent": self.reference("device", "Device"),
        }))
    }

    /// What a test image shows instead of a patient.
    pub(super) fn phantom() -> Value {
        json!({
            "resourceType": "Device",
            "deviceName": [{"name": "Phantom or another test object", "type": "user-friendly-name"}],
            "type": {"text": "Test object: not a patient"},
        })
    }
}
