"""Over HTTPS: the other desk's certificate is checked, and ours is shown where the partner asks for one."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lianxin.kernel.clock import now
from lianxin.linkage.delivering import Lines, drain
from lianxin.linkage.models import Outgoing, Partner

from .desk import OtherDesk, matter_with, say, serving
from .peer import partner

pytestmark = pytest.mark.django_db
Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def certificate(name: str, by: Pair | None, *, address: str = "") -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    at = datetime.now(UTC)
    issuer, signing = (by[0].subject, by[1]) if by else (subject, key)
    made = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(at - timedelta(days=1)).not_valid_after(at + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False))
    if address:
        made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
    return made.sign(signing, hashes.SHA256()), key


def written(directory: Path, name: str, pair: Pair) -> tuple[str, str]:
    pem = serialization.Encoding.PEM
    paths = directory / f"{name}.pem", directory / f"{name}.key"
    paths[0].write_bytes(pair[0].public_bytes(pem))
    paths[1].write_bytes(pair[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return str(paths[0]), str(paths[1])


@pytest.fixture
def papers(tmp_path: Path) -> dict[str, tuple[str, str]]:
    ours = certificate("the two desks", None)
    return {
        "ca": written(tmp_path, "ca", ours), "server": written(tmp_path, "server", certificate("110", ours, address="127.0.0.1")),
        "client": written(tmp_path, "client", certificate("12345", ours)),
        "stranger": written(tmp_path, "stranger", certificate("12345", certificate("nobody", None))),
    }


@pytest.fixture
def other(papers: dict[str, tuple[str, str]]) -> Iterator[OtherDesk]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*papers["server"])
    context.load_verify_locations(papers["ca"][0])
    context.verify_mode = ssl.CERT_REQUIRED
    with serving(tls=context) as desk:
        yield desk


def sent(there: Partner, **files: Any) -> Outgoing:
    for name, value in files.items():
        setattr(there, name, value)
    there.save()
    put = Outgoing.objects.filter(state="waiting").first() or say(matter_with(there))
    Outgoing.objects.update(next_at=now())
    drain(Lines())
    return Outgoing.objects.get(pk=put.pk)


def test_nothing_is_said_to_a_desk_that_cannot_show_who_it_is(other: OtherDesk, papers: dict[str, tuple[str, str]]) -> None:
    there = partner(url=other.url)
    unknown = sent(there)
    assert unknown.state == "waiting"
    assert "证书" in unknown.last_error
    assert other.heard == []


def test_our_certificate_is_shown_where_it_is_asked_for(other: OtherDesk, papers: dict[str, tuple[str, str]]) -> None:
    there = partner(url=other.url, ca_file=papers["ca"][0])
    assert sent(there).state == "waiting"  # they ask for ours, and we show none
    strange = papers["stranger"]
    assert sent(there, certificate_file=strange[0], key_file=strange[1]).state == "waiting"
    assert other.heard == []
    ours = papers["client"]
    assert sent(there, certificate_file=ours[0], key_file=ours[1]).state == "sent"
    assert len(other.heard) == 1


def test_a_file_that_is_missing_is_said_and_nothing_is_lost(other: OtherDesk) -> None:
    there = partner(url=other.url, ca_file="/nowhere/ca.pem")
    put = sent(there)
    assert (put.state, other.heard) == ("waiting", [])
    assert "/nowhere/ca.pem" in put.last_error
