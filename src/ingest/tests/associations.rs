//! Who may associate, what is negotiated, what is answered to messages out of place.

use dicom_ul::association::Error;
use dicom_ul::pdu::{
    AssociationRJResult, AssociationRJServiceProviderPresentationReason, AssociationRJServiceUserReason,
    AssociationRJSource,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::PDataValueType::{Command, Data};
use super::*;

fn rejection(result: Result<Client, Error>) -> (AssociationRJResult, AssociationRJSource) {
    match result {
        Err(Error::Rejected { association_rj, .. }) => (association_rj.result, association_rj.source),
        Err(other) => panic!("not rejected: {other}"),
        Ok(_) => panic!("accepted"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_echo_is_answered_and_a_release_too() {
    let gateway = gateway(&settings());
    let mut client = connect(&gateway).await;
    send(&mut client, 3, &command(0x0030, VERIFICATION, None, false), &[], 16_000).await;
    assert_eq!(answer(&mut client).await.0, 0x0000);
    within(client.release()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_offered_syntax_is_accepted_for_every_class_and_deflated_never() {
    let gateway = gateway(&settings());
    for sop_class in offers::SOP_CLASSES {
        for syntax in offers::TRANSFER_SYNTAXES {
            let options =
                ClientAssociationOptions::new().called_ae_title(AE).with_presentation_context(sop_class, vec![*syntax]);
            let client = within(options.establish_async(gateway.address)).await.unwrap();
            assert_eq!(client.presentation_contexts()[0].transfer_syntax, *syntax);
            within(client.release()).await.unwrap();
        }
    }
    let jpeg_ls = (!cfg!(feature = "jpeg-ls")).then_some("1.2.840.10008.1.2.4.80");
    for refused in ["1.2.840.10008.1.2.1.99", "1.2.3.4"].into_iter().chain(jpeg_ls) {
        let options = ClientAssociationOptions::new().called_ae_title(AE);
        let options = options.with_presentation_context(SECONDARY_CAPTURE, vec![refused]);
        let result = within(options.establish_async(gateway.address)).await;
        assert!(matches!(result, Err(Error::NoAcceptedPresentationContexts { .. })), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_class_that_no_reader_exists_for_is_not_accepted() {
    let gateway = gateway(&settings());
    let ct = "1.2.840.10008.5.1.4.1.1.2";
    let options = ClientAssociationOptions::new().called_ae_title(AE).with_presentation_context(ct, vec![EXPLICIT_LE]);
    let result = within(options.establish_async(gateway.address)).await;
    assert!(matches!(result, Err(Error::NoAcceptedPresentationContexts { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_names_another_or_is_not_allowed_is_rejected() {
    let allow_calling = vec!["CART7".parse().unwrap()];
    let gateway = gateway(&Dicom { allow_calling, ..settings() });
    let wrong = within(options().called_ae_title("OTHER").establish_async(gateway.address)).await;
    let reason = AssociationRJServiceUserReason::CalledAETitleNotRecognized;
    assert_eq!(rejection(wrong), (AssociationRJResult::Permanent, AssociationRJSource::ServiceUser(reason)));
    let stranger = within(options().calling_ae_title("CART8").establish_async(gateway.address)).await;
    let reason = AssociationRJServiceUserReason::CallingAETitleNotRecognized;
    assert_eq!(rejection(stranger), (AssociationRJResult::Permanent, AssociationRJSource::ServiceUser(reason)));
    connect(&gateway).await;
    counted(&gateway.counters.turned_away, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_not_allowed_is_cut_off() {
    let allow_addresses = vec![IpAddr::from([192, 0, 2, 1])];
    let gateway = gateway(&Dicom { allow_addresses, ..settings() });
    assert!(within(options().establish_async(gateway.address)).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_association_too_many_is_told_to_try_later() {
    let busy = AssociationRJSource::ServiceProviderPresentation(
        AssociationRJServiceProviderPresentationReason::LocalLimitExceeded,
    );
    let limits = [Dicom { max_associations: 1, ..settings() }, Dicom { max_associations_per_peer: 1, ..settings() }];
    for settings in limits {
        let gateway = gateway(&settings);
        let first = connect(&gateway).await;
        let second = within(options().establish_async(gateway.address)).await;
        assert_eq!(rejection(second), (AssociationRJResult::Transient, busy.clone()));
        within(first.release()).await.unwrap();
        // The seat comes back when the first connection is closed on both sides.
        within(async {
            while options().establish_async(gateway.address).await.is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_command_is_answered_as_such_and_its_dataset_is_skipped() {
    let gateway = gateway(&settings());
    let mut client = connect(&gateway).await;
    let c_find = command(0x0020, SECONDARY_CAPTURE, None, true);
    send(&mut client, 1, &c_find, &vec![0; 40_000], 16_000).await;
    assert_eq!(answer(&mut client).await.0, 0x0211);
    assert_eq!(store(&mut client, "1.2.3", &image(SECONDARY_CAPTURE, "1.2.3", 8, 7)).await.0, 0x0000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_against_the_protocol_end_the_association() {
    let gateway = gateway(&settings());
    let store = command(C_STORE, SECONDARY_CAPTURE, Some("1.2.3"), true);
    let long = vec![0; limits::MAX_COMMAND_BYTES + 1];
    let echo = command(0x0030, VERIFICATION, None, false);
    let offences: [(&str, Vec<Pdu>); 7] = [
        ("data without a command", vec![fragment(1, Data, true, &[0; 8])]),
        ("data on another context", vec![fragment(1, Command, true, &store), fragment(3, Data, false, &[0; 8])]),
        ("a command inside a dataset", vec![fragment(1, Command, true, &store), fragment(1, Command, true, &echo)]),
        ("a context that was not accepted", vec![fragment(5, Command, true, &echo)]),
        ("a command set too long", vec![fragment(1, Command, false, &long)]),
        ("a release inside a message", vec![fragment(1, Command, false, &store[..20]), Pdu::ReleaseRQ]),
        ("a response to nothing", vec![fragment(1, Command, true, &command(0x8001, SECONDARY_CAPTURE, None, false))]),
    ];
    for (name, pdus) in offences {
        let mut client = connect(&gateway).await;
        for pdu in &pdus {
            within(client.send(pdu)).await.unwrap();
        }
        let end = within(client.receive()).await;
        assert!(matches!(end, Ok(Pdu::AbortRQ { .. })), "{name}: {end:?}");
    }
    gateway.incoming_is_empty().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_of_more_than_64_kib_is_aborted_unread() {
    let gateway = gateway(&settings());
    let mut stream = within(TcpStream::connect(gateway.address)).await.unwrap();
    within(stream.write_all(&[1, 0, 0x7F, 0xFF, 0xFF, 0xFF])).await.unwrap();
    let mut answer = [0; 10];
    within(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(answer[0], 7, "an A-ABORT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_on_the_port_costs_nobody_anything() {
    let gateway = gateway(&settings());
    for noise in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 300], &[22, 3, 1, 0, 200], &[4, 0, 0, 0, 0, 0]] {
        let mut stream = within(TcpStream::connect(gateway.address)).await.unwrap();
        let _ = within(stream.write_all(noise)).await;
    }
    let mut client = connect(&gateway).await;
    assert_eq!(store(&mut client, "1.2.3", &image(SECONDARY_CAPTURE, "1.2.3", 8, 7)).await.0, 0x0000);
}

/// Silence is cut off by the idle time, which is one second here and the test's deadline else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_association_is_ended_after_the_idle_time() {
    let gateway = gateway(&Dicom { idle_s: seconds(1), ..settings() });
    let mut client = connect(&gateway).await;
    assert!(matches!(within(client.receive()).await, Ok(Pdu::AbortRQ { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_takes_too_long_ends_the_association_and_leaves_nothing() {
    let gateway = gateway(&Dicom { instance_s: seconds(1), ..settings() });
    let mut client = connect(&gateway).await;
    let store = command(C_STORE, SECONDARY_CAPTURE, Some("1.2.3"), true);
    within(client.send(&fragment(1, Command, true, &store))).await.unwrap();
    within(client.send(&fragment(1, Data, false, &[0; 1000]))).await.unwrap();
    assert!(matches!(within(client.receive()).await, Ok(Pdu::AbortRQ { .. })));
    gateway.incoming_is_empty().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_ends_idle_associations_and_returns() {
    let gateway = gateway(&settings());
    let mut client = connect(&gateway).await;
    gateway.stop.send(true).unwrap();
    assert!(matches!(within(client.receive()).await, Ok(Pdu::AbortRQ { .. })));
    drop(client);
    within(gateway.task).await.unwrap();
}
