"""The usual assembly: pynetdicom, pydicom, onnxruntime, cryptography, paho-mqtt, SQLite.

It does what residentd does on the same images, written the way a careful team would: the file
and its row are durable before success is answered; one thread reads, signs and publishes in
order; each result is a JWS of a FHIR Bundle, chained by hash. It lacks what residentd has
beside: no sandbox, no validation of elements, no receipts.
    daemon.py BUNDLE STATE DICOM_PORT MQTT_PORT TOPIC
"""

import base64
import hashlib
import json
import os
import queue
import sqlite3
import sys
import threading
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime as ort
import paho.mqtt.client as mqtt
import pydicom
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import Verification

SUCCESS, OUT_OF_RESOURCES = 0x0000, 0xA700
TIMEOUT_S = 60


def main(bundle, state, dicom_port, mqtt_port, topic):
    state = Path(state)
    (state / "spool").mkdir(parents=True, exist_ok=True)
    doorbell = queue.Queue()
    publisher = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    publisher.connect("127.0.0.1", int(mqtt_port))
    publisher.loop_start()
    threading.Thread(target=work, args=(Path(bundle), state, doorbell, publisher, topic), daemon=True).start()
    serve(state, int(dicom_port), doorbell)


def serve(state, port, doorbell):
    entity = AE(ae_title="PEER")
    for context in AllStoragePresentationContexts:
        entity.add_supported_context(context.abstract_syntax, pydicom.uid.AllTransferSyntaxes)
    entity.add_supported_context(Verification)
    entity.maximum_pdu_size = 0
    print("ready", flush=True)
    entity.start_server(("127.0.0.1", port), block=True,
                        evt_handlers=[(evt.EVT_C_STORE, lambda event: accept(event, state, doorbell))])


def accept(event, state, doorbell):
    """Success only after file, folder and row are durable."""
    uid = str(event.request.AffectedSOPInstanceUID)
    path = state / "spool" / f"{uid}.dcm"
    try:
        with open(path.with_suffix(".part"), "wb") as file:
            file.write(event.encoded_dataset())
            file.flush()
            os.fsync(file.fileno())
        os.rename(path.with_suffix(".part"), path)
        sync_folder(path.parent)
        store = open_store(state)
        with store:
            store.execute("INSERT OR IGNORE INTO instance VALUES (?, ?)", (uid, str(path)))
        store.close()
    except (OSError, sqlite3.Error):
        return OUT_OF_RESOURCES
    doorbell.put((uid, path))
    return SUCCESS


def sync_folder(folder):
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def open_store(state):
    store = sqlite3.connect(state / "store.sqlite", timeout=TIMEOUT_S)
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("PRAGMA synchronous=FULL")
    store.execute("CREATE TABLE IF NOT EXISTS instance (uid TEXT PRIMARY KEY, path TEXT)")
    store.execute("CREATE TABLE IF NOT EXISTS outcome (seq INTEGER PRIMARY KEY, uid TEXT UNIQUE, jws BLOB)")
    return store


def work(bundle, state, doorbell, publisher, topic):
    manifest = tomllib.loads((bundle / "manifest.toml").read_text())
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(bundle / "model.onnx", options, providers=["CPUExecutionProvider"])
    digest = hashlib.sha256((bundle / "model.onnx").read_bytes()).hexdigest()
    key = Ed25519PrivateKey.generate()
    store = open_store(state)
    before = "0" * 64
    while True:
        uid, path = doorbell.get()
        raw = path.read_bytes()
        pixels, logits = read(raw, manifest, session)
        payload = report(uid, manifest, logits)
        header = {"alg": "EdDSA", "prev": before, "model": digest, "pixels": hashlib.sha256(pixels).hexdigest(),
                  "instance": hashlib.sha256(raw).hexdigest()}
        jws = sign(key, header, payload)
        before = hashlib.sha256(jws).hexdigest()
        with store:
            store.execute("INSERT INTO outcome (uid, jws) VALUES (?, ?)", (uid, jws))
        publisher.publish(topic, jws, qos=1)


def read(raw, manifest, session):
    dataset = pydicom.dcmread(pydicom.filebase.DicomBytesIO(raw))
    stored = dataset.pixel_array
    values = apply_voi_lut(apply_modality_lut(stored, dataset), dataset).astype(np.float32)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        values = values.max() - values
    model = manifest["input"]
    small = by_area(by_area(values, model["height"]).T, model["width"]).T
    low, high = np.percentile(small, [model["low_percentile"], model["high_percentile"]], method="lower")
    spread = np.clip((small - low) / (high - low), 0, 1) if high > low else np.zeros_like(small)
    tensor = ((spread - model["mean"]) / model["std"]).astype(np.float32)[None, None]
    return stored.tobytes(), session.run([manifest["output"]["tensor"]], {model["tensor"]: tensor})[0].ravel()


def by_area(values, rows):
    """Area averaging of the first axis, by differences of the running sum."""
    edges = np.linspace(0, len(values), rows + 1)
    whole = np.minimum(edges.astype(int), len(values) - 1)
    running = np.zeros((len(values) + 1, values.shape[1]))
    np.cumsum(values, axis=0, out=running[1:])
    at = running[whole] + (edges - whole)[:, None] * values[whole]
    return (at[1:] - at[:-1]) / (len(values) / rows)


def report(uid, manifest, logits):
    findings = []
    for finding in manifest["finding"]:
        fit = finding["calibration"]
        probability = float(1 / (1 + np.exp(-(fit["slope"] * logits[finding["output"]] + fit["intercept"]))))
        band = ("present" if probability >= finding["present_above"]
                else "absent" if probability < finding["absent_below"] else "uncertain")
        findings.append({"resourceType": "Observation", "status": "preliminary", "code": {"coding": [finding["code"]]},
                         "valueQuantity": {"value": round(probability, 4)}, "interpretation": [{"text": band}]})
    text = ". ".join(f"{f['words']}: {o['interpretation'][0]['text']}"
                     for f, o in zip(manifest["finding"], findings, strict=True))
    resources = [{"resourceType": "DiagnosticReport", "status": "preliminary", "conclusion": text,
                  "imagingStudy": [{"identifier": {"value": uid}}]}, *findings]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}


def sign(key, header, payload):
    parts = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in (header, payload)]
    signed = b".".join(parts)
    return signed + b"." + base64.urlsafe_b64encode(key.sign(signed)).rstrip(b"=")


if __name__ == "__main__":
    main(*sys.argv[1:])
