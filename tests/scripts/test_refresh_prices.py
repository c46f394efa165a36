"""The script that makes the tables of prices, on small files of the form that AWS publishes: from a
folder, and from a server on this machine.
"""

from __future__ import annotations

import functools
import http.server
import io
import json
import runpy
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyterhub_aws.config.prices import rows
from tests.support.price_list import (
    EXPECTED,
    LINUX,
    PUBLISHED,
    VERSION,
    WHOLE,
    columns,
    files,
    offer_file,
    write_folder,
    write_site,
)
from tests.support.regional_prices import REGIONS, table

ROOT = Path(__file__).resolve().parents[2]
script = runpy.run_path(str(ROOT / "scripts" / "refresh_prices.py"), run_name="refresh_prices")
OfferError = script["OfferError"]


def read(text: str, offer: str, region: str = "eu-central-1"):
    return script["read_offer"](io.StringIO(text, newline=""), offer, region)


def ec2(*rows_: tuple[str, str, str, dict[str, str]]):
    return read(offer_file("AmazonEC2", rows_), "AmazonEC2")


def run(tmp_path: Path, *arguments: str) -> int:
    chosen = ["--work", str(tmp_path / "work"), "--into", str(tmp_path / "into"), *arguments]
    return script["main"](chosen)


def written(tmp_path: Path, region: str) -> dict:
    return json.loads((tmp_path / "into" / f"{region}.json").read_bytes())


# --- One file


def test_each_service_gives_its_prices_and_no_others():
    found = {
        name: usd
        for offer, text in files().items()
        for name, usd in read(text, offer).rates.items()
    }
    kinds = {f"ec2:{kind}": usd for kind, usd in EXPECTED["ec2"].items()}
    others = {name: usd for name, usd in EXPECTED.items() if name != "ec2"}
    assert found == {
        **others,
        **kinds,
        "ec2:x9z.large": "0.5",
        "extended_support_hour": "0.5",
    }
    assert not any(read(text, offer).problems for offer, text in files().items())


def test_every_price_of_a_bill_comes_from_the_list():
    """But the share of spot, which is none of AWS's."""
    assert set(EXPECTED) - {"ec2"} >= {
        name for name in rows() if not name.startswith("rds_hour:")
    } - {"spot_share"}
    assert set(script["SERVICES"]) == set(WHOLE)


@pytest.mark.parametrize(
    "other",
    [
        {"Operating System": "Windows"},
        {"Tenancy": "Dedicated"},
        {"Pre Installed S/W": "SQL Std"},
        {"CapacityStatus": "AllocatedCapacityReservation"},
        {"Region Code": "eu-central-1-ham-1"},
        {"TermType": "Reserved"},
        {"Currency": "CNY"},
        {"StartingRange": "100"},
        {"usageType": "EUC1-DedicatedUsage:m7i.large"},
        {"usageType": "EUC1-Other-BoxUsage:m7i.large"},
    ],
    ids=lambda other: next(iter(other.values())),
)
def test_what_is_no_plain_linux_node_on_demand_in_the_region_is_no_price(other):
    usual = ("EUC1-BoxUsage:m7i.large", "Hrs", "0.12", LINUX)
    row = (*usual[:3], {**LINUX, **other})
    assert ec2(usual, (*row[:2], "9.99", row[3])).rates["ec2:m7i.large"] == "0.12"
    assert "ec2:m7i.large" not in ec2(row).rates


@pytest.mark.parametrize("place", ["", "EU-", "USE2-", "APS10-", "MXC1-"])
def test_the_code_of_the_place_is_left_out(place):
    """us-east-1 has none, eu-west-1 has no number."""
    found = ec2((f"{place}NatGateway-Hours", "Hrs", "0.05", {}))
    assert ("nat_gateway_hour" in found.rates) is (place != "APS10-"), "no code has two digits"


def test_two_prices_of_one_thing_are_told_with_their_skus_and_none_is_taken():
    found = ec2(
        ("EUC1-NatGateway-Hours", "Hrs", "0.052", {}),
        ("EUC1-NatGateway-Hours", "Hrs", "0.0520", {}),
        ("EUC1-NatGateway-Hours", "Hrs", "0.06", {}),
    )
    assert "nat_gateway_hour" not in found.rates
    assert (
        "AmazonEC2 eu-central-1: nat_gateway_hour has 2 prices: 0.052 (SKU0), 0.06 (SKU2)"
        in found.problems
    )


def test_the_same_price_twice_is_one_price():
    twice = [("EUC1-NatGateway-Hours", "Hrs", usd, {}) for usd in ("0.052", "0.0520000000")]
    assert ec2(*twice).rates["nat_gateway_hour"] == "0.052"


def test_what_is_missing_is_told():
    told = ec2(("EUC1-NatGateway-Hours", "Hrs", "0.052", {})).problems
    assert (
        "AmazonEC2 eu-central-1: no price of gp3_gib_month (usage type EBS:VolumeUsage.gp3)" in told
    )
    assert not any("nat_gateway_hour" in problem for problem in told)


@pytest.mark.parametrize(
    ("unit", "usd", "says"),
    [
        ("GB", "0.05", "SKU0 EUC1-NatGateway-Hours: is sold by 'GB', not by what"),
        ("Hrs", "free", "SKU0 EUC1-NatGateway-Hours: 'free' is no price"),
        ("Hrs", "-1", "'-1' is no price"),
        ("Hrs", "NaN", "'NaN' is no price"),
        ("Hrs", "0.0000000000", "no price of nat_gateway_hour"),
    ],
)
def test_what_is_no_price_is_told_and_left_out(unit, usd, says):
    found = ec2(("EUC1-NatGateway-Hours", unit, usd, {}))
    assert "nat_gateway_hour" not in found.rates
    assert any(says in problem for problem in found.problems), found.problems


def _cut(text: str) -> str:
    return text[: len(text) - 40]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (lambda text: "", "is no file of the price list"),
        (lambda text: "<html>Access denied</html>\n", "is no file of the price list"),
        (lambda text: text.replace('"SKU",', '"Product",', 1), "is no file of the price list"),
        (lambda text: text.replace('"usageType"', '"Usage"', 1), "has no column usagetype"),
        (lambda text: text.replace('"AmazonEC2"', '"AmazonRDS"', 1), "is the file of 'AmazonRDS'"),
        (_cut, "is no whole CSV file"),
        (lambda text: text + '"SKU9","x"\n', "ends in the middle of a row"),
    ],
    ids=["empty", "page", "no head", "no column", "another service", "cut", "short row"],
)
def test_a_broken_file_is_refused_in_one_sentence(broken, says):
    with pytest.raises(OfferError, match="AmazonEC2 eu-central-1: ") as refused:
        read(broken(files()["AmazonEC2"]), "AmazonEC2")
    assert says in str(refused.value) and "\n" not in str(refused.value)


class Dripping(io.RawIOBase):
    """A stream that gives as many bytes as it is told to, whatever it is asked for."""

    def __init__(self, data: bytes, sizes: Iterator[int]) -> None:
        self.data, self.sizes, self.at = data, sizes, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        size = min(next(self.sizes), len(buffer))
        part = self.data[self.at : self.at + size]
        self.at += len(part)
        buffer[: len(part)] = part
        return len(part)


@given(sizes=st.lists(st.integers(min_value=1, max_value=3000), min_size=1, max_size=20))
def test_a_file_is_the_same_in_pieces_of_any_size(sizes):
    def endless() -> Iterator[int]:
        while True:
            yield from sizes

    text = files()["AmazonEC2"].replace("a comma", "ä €, a\nnew line")
    whole = read(text, "AmazonEC2")
    pieces = script["lines_of"](Dripping(text.encode(), endless()))
    assert script["read_offer"](pieces, "AmazonEC2", "eu-central-1") == whole
    assert len(whole.rates) == 7


def test_a_large_file_is_never_whole_in_memory():
    """A generator of lines is read one by one: the script asks for no more than it works on."""
    alive = 0

    class Line(str):
        def __init__(self, _text: str) -> None:
            nonlocal alive
            alive += 1

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    most = 0

    def lines() -> Iterator[str]:
        nonlocal most
        head, _, body = files()["AmazonEC2"].rpartition('"SKU0"')
        yield from head.splitlines(keepends=True)
        rows_ = ('"SKU0"' + body).splitlines(keepends=True)
        for number in range(20_000):
            most = max(most, alive)
            yield Line(rows_[number % len(rows_)])

    assert script["read_offer"](lines(), "AmazonEC2", "eu-central-1").rates
    assert most < 10


# --- A run


@pytest.mark.parametrize("packed", [False, True], ids=["csv", "gz"])
def test_a_folder_of_files_gives_a_table_for_each_region(tmp_path, packed, capsys):
    folder = write_folder(tmp_path / "offers", "eu-central-1", "us-east-1", packed=packed)
    asked = ["--region", "eu-central-1", "--region", "us-east-1"]
    assert run(tmp_path, "--offers", str(folder), *asked) == 0
    document = written(tmp_path, "eu-central-1")
    assert {name: usd for name, (usd, _) in document["rows"].items()} == {
        name: usd for name, usd in EXPECTED.items() if name != "ec2"
    }
    assert {kind: usd for kind, (usd, _) in document["ec2"].items()} == EXPECTED["ec2"]
    source, date = document["sources"][document["rows"]["kms_key_month"][1]]
    assert (source, date) == (f"AWS price list, awskms, version {VERSION}", PUBLISHED[:10])
    assert written(tmp_path, "us-east-1")["region"] == "us-east-1"
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 20 and told[0] == f"1/20 AWSELB eu-central-1: version {VERSION}, 2 found"


def test_a_second_run_writes_the_same_bytes(tmp_path):
    folder = write_folder(tmp_path / "offers", "eu-central-1")
    for _ in range(2):
        assert run(tmp_path, "--offers", str(folder), "--region", "eu-central-1") == 0
    first = (tmp_path / "into" / "eu-central-1.json").read_bytes()
    rows_ = list(reversed(WHOLE["AmazonEC2"]))
    (folder / "AmazonEC2" / "eu-central-1.csv").write_text(offer_file("AmazonEC2", rows_))
    assert run(tmp_path, "--offers", str(folder), "--region", "eu-central-1") == 0
    assert (tmp_path / "into" / "eu-central-1.json").read_bytes() == first, "sorted"


def test_a_service_without_a_file_is_told_and_the_rest_is_written(tmp_path, capsys):
    folder = write_folder(tmp_path / "offers", "eu-central-1")
    (folder / "AmazonEKS" / "eu-central-1.csv").unlink()
    assert run(tmp_path, "--offers", str(folder), "--region", "eu-central-1") == 1
    assert "AmazonEKS eu-central-1: no file" in capsys.readouterr().err
    assert "control_plane_hour" not in written(tmp_path, "eu-central-1")["rows"]


def test_a_region_with_a_broken_file_is_not_written(tmp_path, capsys):
    folder = write_folder(tmp_path / "offers", "eu-central-1", "us-east-1")
    (folder / "AmazonS3" / "us-east-1.csv").write_text("nothing\n")
    asked = ["--region", "eu-central-1", "--region", "us-east-1"]
    assert run(tmp_path, "--offers", str(folder), *asked) == 2
    assert "AmazonS3 us-east-1: is no file of the price list" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "into").iterdir()] == ["eu-central-1.json"]


def test_an_empty_folder_and_what_is_no_region_are_refused(tmp_path, capsys):
    assert run(tmp_path, "--offers", str(tmp_path), "--region", "eu-west-1") == 2
    assert "no file of eu-west-1 is there" in capsys.readouterr().err
    for wrong in (["--region", "eu-west-9"], ["--offers", str(tmp_path / "no")]):
        with pytest.raises(SystemExit) as ended:
            run(tmp_path, *wrong)
        assert ended.value.code == 2
    with pytest.raises(SystemExit):
        run(tmp_path, "--host", "file:///etc")


def test_columns_are_those_of_the_list():
    assert columns("AmazonEC2")[:4] == ["SKU", "OfferTermCode", "RateCode", "TermType"]


@pytest.mark.parametrize("region", REGIONS)
def test_what_is_written_is_read_as_it_was(region):
    document = json.loads(table(region))
    assert json.loads(script["rendered"](document)) == document


# --- A server on this machine, in the place of AWS's


class Site:
    """The tree of AWS's host; `asked` are the paths, `refuse` are those that are answered wrongly."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        self.wrong: dict[str, str] = {}
        site = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                site.asked.append(self.path)
                kind = next((how for end, how in site.wrong.items() if self.path.endswith(end)), "")
                if kind == "cut":
                    data = Path(self.translate_path(self.path)).read_bytes()
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data[: len(data) // 2])
                    self.close_connection = True
                elif kind:
                    self.send_error(int(kind))
                else:
                    super().do_GET()

        handler = functools.partial(Handler, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.host = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    found = Site(write_site(tmp_path / "site", "eu-central-1", "eu-west-1"))
    found.thread.start()
    yield found
    found.server.shutdown()
    found.thread.join()
    found.server.server_close()


_BOTH = ("--region", "eu-central-1", "--region", "eu-west-1")


@pytest.mark.real
def test_the_list_is_read_from_its_index_to_its_files(tmp_path, site):
    assert run(tmp_path, "--host", site.host, *_BOTH) == 0
    assert written(tmp_path, "eu-central-1")["ec2"]["m7i.large"][0] == "0.12075"
    assert site.asked[0] == "/offers/v1.0/aws/index.json"
    assert f"/offers/v1.0/aws/AmazonEC2/{VERSION}/eu-west-1/index.csv" in site.asked


@pytest.mark.real
def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path, site, capsys, monkeypatch):
    site.wrong = {f"AmazonS3/{VERSION}/eu-west-1/index.csv": "404"}
    assert run(tmp_path, "--host", site.host, *_BOTH) == 2
    told = capsys.readouterr().err
    assert "AmazonS3" in told and "answers 404" in told and "run it again" in told
    assert [path.name for path in (tmp_path / "into").iterdir()] == ["eu-central-1.json"]
    site.wrong, site.asked = {}, []
    assert run(tmp_path, "--host", site.host, *_BOTH) == 0
    files_read = [path for path in site.asked if path.endswith(".csv")]
    assert [path.split("/")[4] for path in files_read] == ["AmazonS3", "AmazonVPC", "awskms"]
    assert written(tmp_path, "eu-west-1")["rows"]["s3_gib_month"][0] == "0.0245"
    site.asked = []
    monkeypatch.setitem(script["extract"].__globals__, "FORM", "another table of what is wanted")
    assert run(tmp_path, "--host", site.host, "--region", "eu-west-1") == 0
    assert sum(path.endswith(".csv") for path in site.asked) == len(WHOLE)


@pytest.mark.real
def test_a_file_that_does_not_arrive_whole_is_not_taken(tmp_path, site, capsys):
    site.wrong = {"AmazonEC2/" + VERSION + "/eu-central-1/index.csv": "cut"}
    assert run(tmp_path, "--host", site.host, "--region", "eu-central-1") == 2
    assert "AmazonEC2 eu-central-1: " in (told := capsys.readouterr().err)
    assert "did not arrive whole" in told or "connection broke" in told
    kept = [path.parent.name for path in (tmp_path / "work").rglob("*.json")]
    assert set(kept) == {"AWSELB", "AmazonCloudWatch"}, "and nothing of the file that broke"


@pytest.mark.real
def test_a_server_that_does_not_answer_is_one_sentence(tmp_path, site, capsys, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    site.wrong = {"aws/index.json": "503"}
    assert run(tmp_path, "--host", site.host, "--region", "eu-central-1") == 2
    assert "index.json: answers 503" in capsys.readouterr().err
    assert len(site.asked) == 3, "a fault of the server may pass"
    assert run(tmp_path, "--host", "http://127.0.0.1:9", "--region", "eu-central-1") == 2
    assert "cannot be reached" in capsys.readouterr().err
