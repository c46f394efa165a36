"""`jhub certificate`: a key that nobody else can read, certificates and requests with the right
names, and a verdict as browsers give it.
"""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from jupyterhub_aws.checks.certificates import faults, key_fault, names_of, read
from jupyterhub_aws.cli.group import run
from tests.support.certificates import NOW, Authority, key_pem, new_key
from tests.support.data_examples import described
from tests.support.stack_files import ROOT

ROOT_AUTHORITY = Authority("Root")
HOST = "hub.example.org"


def test_a_new_one_signs_itself_and_its_key_is_its_owners(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        run(
            [
                "certificate",
                "new",
                HOST,
                "--also",
                "*.example.org",
                "--days",
                "90",
                "--folder",
                str(tmp_path),
            ]
        )
        == 0
    )
    key, certificate = tmp_path / f"{HOST}.key", tmp_path / f"{HOST}.crt"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    (found,) = read(certificate.read_text())
    assert names_of(found) == [HOST, "*.example.org"]
    assert (found.not_valid_after_utc - NOW).days in (89, 90)
    assert key_fault(certificate.read_text(), key.read_text()) is None
    assert [fault.status for fault in faults(certificate.read_text(), HOST, NOW.date())] == ["warn"]
    usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    said = capsys.readouterr().out
    assert "hub-NAME-tls-key" in said and "entry.tls.certificate" in said
    assert not [line for line in key.read_text().splitlines()[1:-1] if line in said]


def test_a_request_has_the_names_and_an_authority_can_sign_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["certificate", "new", HOST, "--request", "--folder", str(tmp_path)]) == 0
    request = x509.load_pem_x509_csr((tmp_path / f"{HOST}.csr").read_bytes())
    assert request.is_signature_valid
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [HOST]
    assert "have your authority sign" in capsys.readouterr().out


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / f"{HOST}.key").write_text("in use")
    assert run(["certificate", "new", HOST, "--folder", str(tmp_path)]) == 2
    assert (tmp_path / f"{HOST}.key").read_text() == "in use" and not (
        tmp_path / f"{HOST}.crt"
    ).exists()
    said = capsys.readouterr().err
    assert "exists already; move it away" in said and "[file.exists]" in said


@pytest.mark.parametrize(
    "name", ["https://hub.example.org", "hub", "Hub.example.org", "", "a b.example.org"]
)
def test_a_name_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert run(["certificate", "new", name, "--folder", str(tmp_path)]) == 2
    assert "[host-name.malformed]" in capsys.readouterr().err and not list(tmp_path.iterdir())


def inspected(*arguments: str) -> int:
    return run(["certificate", "inspect", *arguments])


def test_a_file_is_shown_and_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    middle = Authority("Middle", ROOT_AUTHORITY)
    issued = middle.issue(HOST)
    file, key = tmp_path / "server.pem", tmp_path / "server.key"
    file.write_text((issued.pem + middle.pem).replace("\n", "\r\n"))
    key.write_text(issued.key_pem)
    assert inspected(str(file), "--key-file", str(key)) == 0
    said = capsys.readouterr().out
    assert all(
        words in said
        for words in (
            HOST,
            "Middle",
            "CN=Root",
            "days left",
            "secp256r1",
            "is its key",
            "will take it",
        )
    )
    assert not [line for line in issued.key_pem.splitlines()[1:-1] if line in said]
    assert inspected(str(file), "--hostname", "other.example.org") == 1
    assert f"is for {HOST}, not for other.example.org" in capsys.readouterr().out
    assert inspected(str(file), "--as-of", "2100-01-01") == 1
    assert "expired on" in capsys.readouterr().out


def test_another_key_is_named_and_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, key = tmp_path / "server.crt", tmp_path / "other.key"
    file.write_text(ROOT_AUTHORITY.issue(HOST).pem)
    text = key_pem(new_key())
    key.write_text(text)
    assert inspected(str(file), "--key-file", str(key)) == 1
    said = capsys.readouterr().out
    assert "is not its key: it belongs to another certificate" in " ".join(said.split())
    assert not [line for line in text.splitlines()[1:-1] if line in said]


def test_der_is_named_with_the_command_that_converts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "server.cer"
    file.write_bytes(ROOT_AUTHORITY.issue(HOST).der)
    assert inspected(str(file)) == 2
    said = capsys.readouterr().err
    assert f"openssl x509 -inform der -in {file} -out {tmp_path / 'server.pem'}" in said
    assert "[certificate.der]" in said


@pytest.mark.parametrize(
    ("content", "says", "which"),
    [
        (None, "cannot be read", "file.unreadable"),
        (b"nothing", "holds no certificate", "certificate.unreadable"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB\n", "line is missing", "certificate.unreadable"),
    ],
)
def test_a_file_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, says: str, which: str
) -> None:
    file = tmp_path / "server.pem"
    if content is not None:
        file.write_bytes(content)
    assert inspected(str(file)) == 2
    error = capsys.readouterr().err
    assert says in error and f"[{which}]" in error and "Traceback" not in error


def test_a_certificate_as_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same verdict and exit code, and nothing of the key."""
    monkeypatch.chdir(ROOT)
    line = ("examples/kubeadm/Pulumi.kubeadm.yaml", "--json")
    assert inspected(*line) == 0
    found = described("certificate inspect", capsys.readouterr().out)
    assert found["key"] is None and [item["status"] for item in found["findings"]] == ["warn"]
    assert found["certificates"][0]["names"] == [found["hostname"]]
    key = tmp_path / "k.key"
    key.write_text(key_pem(new_key()))
    assert inspected(*line, "--key-file", str(key)) == 1
    said = capsys.readouterr().out
    found = described("certificate inspect", said)
    assert found["key"]["fits"] is False and found["key"]["why"]
    assert not [text for text in key.read_text().splitlines()[1:-1] if text in said]
    end = found["certificates"][0]["not_after"][:10]
    assert inspected(*line, "--as-of", end.replace(end[:4], str(int(end[:4]) + 1))) == 1
    found = described("certificate inspect", capsys.readouterr().out)
    assert found["certificates"][0]["days_left"] in (-365, -366)


def test_the_certificate_of_a_stack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert inspected("examples/kubeadm/Pulumi.kubeadm.yaml") == 0
    assert "is self-signed" in capsys.readouterr().out
    key = tmp_path / "k.key"
    key.write_text(key_pem(new_key()))
    assert inspected("examples/kubeadm/Pulumi.kubeadm.yaml", "--key-file", str(key)) == 1
    capsys.readouterr()
    assert inspected("dev") == 2
    assert "ACM" in capsys.readouterr().err.replace("AWS Certificate Manager", "ACM")
    assert inspected("examples/kubeadm/Pulumi.kubeadm.yaml", "--hub", "mian") == 2
    said = capsys.readouterr().err
    assert "did you mean main?" in said and "[hub.unknown]" in said
    assert inspected("dev", "--as-of", "soon") == 2
    said = capsys.readouterr().err
    assert "--as-of: " in said and "[option.date]" in said
