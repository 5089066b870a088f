//! Devices: the box, the algorithm inside it, and the phantom where there is no patient.

use serde_json::{Value, json};

use super::{Maker, NO_KEY, codes};

impl Maker<'_> {
    /// The box: site and name, key, version of residentd.
    pub(super) fn device(&self) -> Value {
        let device = &self.context.device;
        let name = json!({"system": codes::DEVICE, "value": self.device_name()});
        let key = (device.key_id != NO_KEY).then(|| {
            json!({
                "type": {"text": "JWK thumbprint of the signing key (RFC 9278)"},
                "system": codes::URI,
                "value": format!("urn:ietf:params:oauth:jwk-thumbprint:sha-256:{}", device.key_id),
            })
        });
        json!({
            "resourceType": "Device",
            "identifier": std::iter::once(name).chain(key).collect::<Vec<_>>(),
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
        let research = bundle.research_only.then_some("For research only: not to be used for care.");
        let notes: Vec<Value> = [&bundle.intended_use, &bundle.forbidden_use]
            .map(|text| codes::clean(text))
            .into_iter()
            .filter(|text| !text.is_empty())
            .map(|text| json!({"text": text}))
            .collect();
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
            "note": research.map(|text| json!({"text": text})).into_iter().chain(notes).collect::<Vec<_>>(),
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
