"""Write jupyterhub_aws/config/data/prices/REGION.json anew: what AWS charges in each commercial
region, from AWS's public price list. No account and no credentials are needed.

    .venv/bin/python scripts/refresh_prices.py                      every region
    .venv/bin/python scripts/refresh_prices.py --region eu-west-1   one (may be repeated)
    .venv/bin/python scripts/refresh_prices.py --offers FOLDER      files that were brought here

The list is one CSV file for each service and region (AWS Billing user guide, "Getting price list
files manually"): the index of services names an index of regions for each, which names the file.
Those of AmazonEC2 have some hundred megabytes each, so that a file is read row by row and never
kept. What a run found of a file is kept in --work; a run that was stopped goes on there, and a file
of a version that is known is not read again. A region is written when each of its files was read.

With --offers, no connection is opened: FOLDER/SERVICE/REGION.csv, or the same with .gz.

A price is taken only where exactly one is there. What is missing, or has two prices, is told with
its SKUs and left out: a plan then says which of its lines have the prices of us-east-1. Exit code 0:
everything was found; 1: written, with prices missing; 2: refused, or a file could not be read.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import json
import re
import sys
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "jupyterhub_aws" / "config" / "data"
FOLDER = DATA / "prices"
TYPES = DATA / "ec2_types.json"
ZONES = DATA / "zones.json"
WORK = ROOT / "build" / "prices"
HOST = "https://pricing.us-east-1.amazonaws.com"
INDEX = "/offers/v1.0/aws/index.json"
_GIB = 1024
_TRIES = 3
_CHUNK = 1 << 18
_TOLD_EVERY = 2.0
#: What is before a usage type outside us-east-1: EUC1- or EU- of most, eu-central-1- of KMS.
_PLACE = r"(?:[A-Z]{2,4}[0-9]?-|[a-z]{2}(?:-[a-z]+)+-[0-9]-)?"


class OfferError(Exception):
    """A file that is not there, is not of the published form, or did not arrive whole."""


# --- What is wanted


@dataclass(frozen=True, kw_only=True)
class WantedPrice:
    """Which rows of a service's file are a price: the usage type without the region's code, and
    what columns must hold. `name` and `usage` may have `{kind}`, an instance type.
    """

    name: str
    offer: str
    usage: str
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unit: str

    def pattern(self) -> re.Pattern[str]:
        """The usage types that it means."""
        usage = re.escape(self.usage).replace(r"\{kind\}", r"(?P<kind>[a-z0-9.-]+)")
        return re.compile(f"^{_PLACE}{usage}$")


#: On demand, shared hardware, Linux without other software, not a reservation.
_LINUX = {
    "operatingsystem": ("Linux",),
    "tenancy": ("Shared",),
    "preinstalledsw": ("NA",),
    "capacitystatus": ("Used",),
}
_POSTGRESQL = {"databaseengine": ("PostgreSQL", "Any"), "deploymentoption": ("Single-AZ",)}
_HOUR, _GIB_MONTH = "h", "gb-mo"


def _wanted(name: str, offer: str, usage: str, unit: str = "", **columns: str) -> WantedPrice:
    values = {column: (value,) for column, value in columns.items()}
    return WantedPrice(name=name, offer=offer, usage=usage, unit=unit, columns=values)


WANTED = (
    WantedPrice(
        name="ec2:{kind}", offer="AmazonEC2", usage="BoxUsage:{kind}", unit=_HOUR, columns=_LINUX
    ),
    _wanted("nat_gateway_hour", "AmazonEC2", "NatGateway-Hours", _HOUR),
    _wanted("gp3_gib_month", "AmazonEC2", "EBS:VolumeUsage.gp3", _GIB_MONTH),
    _wanted("gp3_iops_month", "AmazonEC2", "EBS:VolumeP-IOPS.gp3", "iops-mo"),
    _wanted("gp3_throughput_month", "AmazonEC2", "EBS:VolumeP-Throughput.gp3", "gibps-mo"),
    _wanted("control_plane_hour", "AmazonEKS", "AmazonEKS-Hours:perCluster", _HOUR),
    _wanted("extended_support_hour", "AmazonEKS", "AmazonEKS-Hours:extendedSupport", _HOUR),
    _wanted("public_ipv4_hour", "AmazonVPC", "PublicIPv4:InUseAddress", _HOUR),
    _wanted("private_endpoint_hour", "AmazonVPC", "VpcEndpoint-Hours", _HOUR),
    _wanted(
        "transit_gateway_attachment_hour",
        "AmazonVPC",
        "TransitGateway-Hours",
        _HOUR,
        operation="TransitGatewayVPC",
    ),
    _wanted(
        "network_load_balancer_hour",
        "AWSELB",
        "LoadBalancerUsage",
        _HOUR,
        productfamily="Load Balancer-Network",
    ),
    _wanted(
        "application_load_balancer_hour",
        "AWSELB",
        "LoadBalancerUsage",
        _HOUR,
        productfamily="Load Balancer-Application",
    ),
    _wanted("kms_key_month", "awskms", "KMS-Keys"),
    _wanted("efs_gib_month", "AmazonEFS", "TimedStorage-ByteHrs", _GIB_MONTH),
    _wanted("ecr_gib_month", "AmazonECR", "TimedStorage-ByteHrs", _GIB_MONTH),
    _wanted("s3_gib_month", "AmazonS3", "TimedStorage-ByteHrs", _GIB_MONTH),
    _wanted("alarm_metric_month", "AmazonCloudWatch", "CW:AlarmMonitorUsage"),
    _wanted("own_metric_month", "AmazonCloudWatch", "CW:MetricMonitorUsage"),
    WantedPrice(
        name="rds_gp3_gib_month",
        offer="AmazonRDS",
        usage="RDS:GP3-Storage",
        unit=_GIB_MONTH,
        columns=_POSTGRESQL,
    ),
    WantedPrice(
        name="rds_hour:{kind}",
        offer="AmazonRDS",
        usage="InstanceUsage:{kind}",
        unit=_HOUR,
        columns=_POSTGRESQL,
    ),
)
#: What a run keeps is for these prices: another table of them reads the files anew.
FORM = hashlib.sha256(repr(WANTED).encode()).hexdigest()[:12]
SERVICES = tuple(sorted({wanted.offer for wanted in WANTED}))


# --- One file of the list


@dataclass(frozen=True, kw_only=True)
class Extract:
    """What a file says: prices by name, its version and the day of its publication, and what is
    wrong with single prices.
    """

    offer: str
    region: str
    version: str
    date: str
    rates: Mapping[str, str]
    problems: tuple[str, ...]


#: Columns of every file, by their names in small letters without spaces and signs.
_NEEDED = (
    "sku",
    "termtype",
    "startingrange",
    "unit",
    "priceperunit",
    "currency",
    "usagetype",
    "regioncode",
)


def read_offer(lines: Iterable[str], offer: str, region: str) -> Extract:
    """A file of a service and region, row by row. Raises OfferError for one of another form."""
    rows = csv.reader(lines, strict=True)
    where = f"{offer} {region}"
    try:
        about, columns = _head(rows, where)
        if about.get("OfferCode") != offer:
            raise OfferError(f"{where}: is the file of {about.get('OfferCode', 'no service')!r}")
        return _extract(rows, columns, about, where)
    except (csv.Error, UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise OfferError(f"{where}: is no whole CSV file ({error})") from None


def _head(rows: Iterator[list[str]], where: str) -> tuple[dict[str, str], dict[str, int]]:
    """The lines before the table: name and value; and the columns of the table by name."""
    about: dict[str, str] = {}
    for row in rows:
        if row and row[0] == "SKU":
            columns = {
                re.sub(r"[^a-z0-9]", "", name.lower()): place for place, name in enumerate(row)
            }
            lacking = [name for name in _NEEDED if name not in columns]
            if lacking:
                raise OfferError(f"{where}: the table has no column {', '.join(lacking)}")
            return about, columns
        if len(row) != 2:
            break
        about[row[0]] = row[1]
    raise OfferError(f"{where}: is no file of the price list (no line that begins with SKU)")


def _extract(
    rows: Iterator[list[str]], columns: Mapping[str, int], about: Mapping[str, str], where: str
) -> Extract:
    offer, region = where.split(" ")
    wanted = [(item, item.pattern()) for item in WANTED if item.offer == offer]
    usage, place, term = columns["usagetype"], columns["regioncode"], columns["termtype"]
    found: dict[str, dict[str, str]] = {}
    problems: list[str] = []
    for row in rows:
        if len(row) != len(columns):
            raise OfferError(f"{where}: ends in the middle of a row, or a row has other columns")
        if row[term] != "OnDemand" or row[place] != region:
            continue
        for item, pattern in wanted:
            match = pattern.match(row[usage])
            if match is None or not _has(row, columns, item):
                continue
            cells = {name: row[columns[name]] for name in _NEEDED}
            amount = _amount(cells, item)
            if isinstance(amount, str):
                problems.append(f"{where}: {cells['sku']} {row[usage]}: {amount}")
            elif amount is not None:
                name = item.name.format(kind=match.groupdict().get("kind"))
                found.setdefault(name, {}).setdefault(_plain(amount), cells["sku"])
    for name, prices in sorted(found.items()):
        if len(prices) > 1:
            each = ", ".join(f"{usd} ({sku})" for usd, sku in sorted(prices.items()))
            problems.append(f"{where}: {name} has {len(prices)} prices: {each}")
    rates = {name: next(iter(prices)) for name, prices in found.items() if len(prices) == 1}
    problems += [
        f"{where}: no price of {item.name} (usage type {item.usage})"
        for item, _ in wanted
        if item.name not in found and "{kind}" not in item.name
    ]
    return Extract(
        offer=offer,
        region=region,
        version=about.get("Version", "?"),
        date=about.get("Publication Date", "?")[:10],
        rates=dict(sorted(rates.items())),
        problems=tuple(problems),
    )


def _has(row: list[str], columns: Mapping[str, int], item: WantedPrice) -> bool:
    return all(
        name in columns and row[columns[name]] in values for name, values in item.columns.items()
    )


def _amount(cells: Mapping[str, str], item: WantedPrice) -> Decimal | str | None:
    """The price of the first unit, what is wrong with it, or None where the row is about later
    units, another currency or nothing to pay. What is cheaper from some number on is not counted.
    Throughput is sold by the GiB/s; a bill counts MiB/s.
    """
    if cells["currency"] != "USD" or cells["startingrange"] not in ("0", ""):
        return None
    try:
        usd = Decimal(cells["priceperunit"])
    except InvalidOperation:
        return f"{cells['priceperunit']!r} is no price"
    if not usd.is_finite() or usd < 0:
        return f"{cells['priceperunit']!r} is no price"
    if not cells["unit"].lower().startswith(item.unit):
        return f"is sold by {cells['unit']!r}, not by what {item.name} counts"
    if usd == 0:
        return None
    return usd / _GIB if item.name == "gp3_throughput_month" else usd


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# --- Where files come from


class Folder:
    """Files that were brought here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def regions(self, offer: str) -> dict[str, str]:
        """The regions with a file of a service, and a version of each: none, so that each file is
        read at every run.
        """
        files = [*self.folder.glob(f"{offer}/*.csv"), *self.folder.glob(f"{offer}/*.csv.gz")]
        return {path.name.split(".")[0]: "" for path in files}

    @contextmanager
    def open(self, offer: str, region: str) -> Iterator[tuple[IO[bytes], int | None]]:
        """A file, and how many bytes it has."""
        path = self.folder / offer / f"{region}.csv"
        path = path if path.exists() else path.with_suffix(".csv.gz")
        try:
            with path.open("rb") as file:
                yield file, path.stat().st_size
        except OSError as error:
            raise OfferError(
                f"{offer} {region}: {path} cannot be read ({error.strerror})"
            ) from None


class Web:
    """AWS's price list. `host` is another one in tests."""

    def __init__(self, host: str) -> None:
        self.host = host.rstrip("/")
        self._files: dict[tuple[str, str], str] = {}
        self._services: dict[str, Any] = {}

    def regions(self, offer: str) -> dict[str, str]:
        """The regions where a service is sold, and the version of each file."""
        self._services = self._services or self._json(INDEX, "offers")
        if offer not in self._services:
            raise OfferError(f"{offer}: the price list has no such service")
        found = self._json(self._services[offer]["currentRegionIndexUrl"], "regions")
        versions = {}
        for region, about in found.items():
            path = str(about["currentVersionUrl"])
            # The same file is published as JSON and as CSV, under the same name.
            self._files[offer, region] = re.sub(r"\.json$", ".csv", path)
            versions[region] = path.split("/")[-3]
        return versions

    def _json(self, path: str, key: str) -> dict[str, Any]:
        with self._opened(path) as (file, _):
            try:
                found: dict[str, Any] = json.loads(file.read())[key]
            except (ValueError, KeyError, TypeError):
                raise OfferError(f"{self.host}{path}: is no index of the price list") from None
            return found

    @contextmanager
    def open(self, offer: str, region: str) -> Iterator[tuple[IO[bytes], int | None]]:
        """A file, and how many bytes come where the server says it."""
        with self._opened(self._files[offer, region]) as opened:
            yield opened

    @contextmanager
    def _opened(self, path: str) -> Iterator[tuple[IO[bytes], int | None]]:
        address = self.host + path
        headers = {"Accept-Encoding": "gzip", "User-Agent": "jupyterhub-aws refresh_prices"}
        request = urllib.request.Request(address, headers=headers)  # noqa: S310 (http or https: main)
        response = None
        for tried in range(1, _TRIES + 1):
            try:
                response = urllib.request.urlopen(request, timeout=60)  # noqa: S310
                break
            except urllib.error.HTTPError as error:
                if error.code < 500 or tried == _TRIES:
                    raise OfferError(f"{address}: answers {error.code} {error.reason}") from None
            except OSError as error:
                if tried == _TRIES:
                    reason = getattr(error, "reason", error)
                    raise OfferError(f"{address}: cannot be reached ({reason})") from None
            time.sleep(tried)
        assert response is not None  # noqa: S101 (the loop returns or raises)
        with response:
            size = response.headers.get("Content-Length")
            yield response, int(size) if size else None


class Counted(io.RawIOBase):
    """A stream of bytes that counts them, and tells how far it is; it refuses to end early."""

    def __init__(self, source: IO[bytes], size: int | None, progress: Progress, name: str) -> None:
        self._source, self._size, self._progress, self._name = source, size, progress, name
        self.count = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """As many bytes as there are, up to a chunk."""
        try:
            data = self._source.read(min(len(buffer), _CHUNK))
        except OSError as error:
            raise OfferError(f"{self._name}: the connection broke ({error})") from None
        self.count += len(data)
        if not data and self._size is not None and self.count < self._size:
            raise OfferError(
                f"{self._name}: did not arrive whole ({self.count} of {self._size} bytes)"
            )
        self._progress.tell(self._name, self.count, self._size)
        buffer[: len(data)] = data
        return len(data)


def lines_of(raw: io.RawIOBase) -> Iterator[str]:
    """The lines of a file, packed with gzip or not: its first two bytes tell."""
    file: IO[bytes] = io.BufferedReader(raw, _CHUNK)
    if file.peek(2)[:2] == b"\x1f\x8b":  # type: ignore[attr-defined]
        file = gzip.GzipFile(fileobj=file)  # type: ignore[assignment]
    return iter(io.TextIOWrapper(file, encoding="utf-8", newline=""))


class Progress:
    """Which file of how many, how much of it, and how long it will take: on a terminal one line
    that changes, elsewhere one line for each file.
    """

    def __init__(self, files: int, out: IO[str]) -> None:
        self.files, self.done, self.read = files, 0, 0
        self.out, self.begun, self.told = out, time.monotonic(), 0.0

    def tell(self, name: str, count: int, size: int | None) -> None:
        """How far a file is. At most every two seconds, and on a terminal only."""
        now = time.monotonic()
        if self.out.isatty() and now - self.told >= _TOLD_EVERY:
            self.told = now
            of = f" of {size >> 20}" if size else ""
            self.out.write(f"\r\x1b[K{self._place()} {name}: {count >> 20}{of} MB{self._left()}")
            self.out.flush()

    def end(self, name: str, what: str) -> None:
        """A file is done."""
        self.done += 1
        self.out.write(
            ("\r\x1b[K" if self.out.isatty() else "") + f"{self._place()} {name}: {what}\n"
        )

    def _place(self) -> str:
        return f"{min(self.done + 1, self.files) if self.out.isatty() else self.done}/{self.files}"

    def _left(self) -> str:
        """From the files so far, which are of all sizes: a rough number, once some are done."""
        if self.done < len(SERVICES):
            return ""
        seconds = (time.monotonic() - self.begun) / self.done * (self.files - self.done)
        return f", about {max(round(seconds / 60), 1)} min left"


# --- Tables


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A file to read: the version that the list has of it, or none where that is not known."""

    offer: str
    region: str
    version: str


def extract(source: Folder | Web, wish: Wish, work: Path, progress: Progress) -> Extract:
    """What a file says: from the last run where it has the same version, or read now."""
    offer, region, version = wish.offer, wish.region, wish.version
    kept, name = work / FORM / offer / f"{region}.json", f"{offer} {region}"
    if version and kept.exists():
        try:
            old = Extract(**json.loads(kept.read_bytes()))
        except (ValueError, TypeError):
            old = None
        if old is not None and old.version == version:
            progress.end(name, f"version {version}, read before")
            return old
    with source.open(offer, region) as (file, size):
        found = read_offer(lines_of(Counted(file, size, progress, name)), offer, region)
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_suffix(".part")
    part.write_text(json.dumps(found.__dict__, indent=1), encoding="utf-8")
    part.replace(kept)
    progress.end(name, f"version {found.version}, {len(found.rates)} found")
    return found


def table(region: str, extracts: Iterable[Extract], types: Iterable[str]) -> dict[str, Any]:
    """The document of a region. Types that ec2_types.json lacks are left out. The list sells
    extended support as what comes on top of the control plane; a bill names the whole.
    """
    known = {f"ec2:{name}" for name in types}
    rates: dict[str, tuple[Decimal, str, str]] = {}
    for found in extracts:
        source = f"AWS price list, {found.offer}, version {found.version}"
        for name, usd in found.rates.items():
            if not name.startswith("ec2:") or name in known:
                rates[name] = (Decimal(usd), source, found.date)
    if "extended_support_hour" in rates:
        on_top = rates.pop("extended_support_hour")
        if "control_plane_hour" in rates:
            whole = on_top[0] + rates["control_plane_hour"][0]
            rates["extended_support_hour"] = (whole, *on_top[1:])
    sources = sorted({(source, date) for _, source, date in rates.values()})
    rows = {
        name: [_plain(rate[0]), sources.index(rate[1:])] for name, rate in sorted(rates.items())
    }
    return {
        "region": region,
        "sources": [list(source) for source in sources],
        "rows": {name: row for name, row in rows.items() if not name.startswith("ec2:")},
        "ec2": {name[4:]: row for name, row in rows.items() if name.startswith("ec2:")},
    }


def rendered(document: Mapping[str, Any]) -> str:
    """The file's text: a line for each row, and for each family of types."""
    families: dict[str, list[str]] = {}
    for name, row in document["ec2"].items():
        families.setdefault(name.split(".")[0], []).append(
            f"{json.dumps(name)}:{json.dumps(row, separators=(',', ':'))}"
        )
    lines = [
        f'{{"region": {json.dumps(document["region"])},',
        '"sources": [',
        ",\n".join(json.dumps(source) for source in document["sources"]),
        '],\n"rows": {',
        ",\n".join(
            f"{json.dumps(name)}: {json.dumps(row)}" for name, row in document["rows"].items()
        ),
        '},\n"ec2": {',
        ",\n".join(",".join(types) for types in families.values()),
        "}}\n",
    ]
    return "\n".join(lines)


def commercial() -> list[str]:
    """The regions of the partition aws."""
    return sorted(json.loads(ZONES.read_bytes())["partitions"]["aws"])


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--region", action="append", choices=commercial(), metavar="REGION")
    options.add_argument("--offers", type=Path, help="read files of this folder, not of AWS")
    options.add_argument("--work", type=Path, default=WORK, help="what a run keeps to go on later")
    options.add_argument("--into", type=Path, default=FOLDER, help="where the tables are written")
    options.add_argument("--host", default=HOST, help=argparse.SUPPRESS)
    chosen = options.parse_args(arguments)
    if chosen.offers and not chosen.offers.is_dir():
        options.error(f"--offers: {chosen.offers} is no folder")
    if not re.match(r"^https?://", chosen.host):
        options.error("--host: write an address with http:// or https://")
    return chosen


def main(arguments: list[str] | None = None) -> int:
    """Read the list and write a file for each region."""
    chosen = _arguments(arguments)
    source = Folder(chosen.offers) if chosen.offers else Web(chosen.host)
    try:
        problems = _run(source, chosen)
    except OfferError as error:
        print(f"\nrefresh_prices: {error}", file=sys.stderr)
        again = "" if chosen.offers else "; run it again: it goes on with the files that it has"
        print(f"Regions that were whole are written{again}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. Run it again: it goes on with the files that it has.", file=sys.stderr)
        return 130
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _run(source: Folder | Web, chosen: argparse.Namespace) -> list[str]:
    regions = chosen.region or commercial()
    sold = {offer: source.regions(offer) for offer in SERVICES}
    if not any(region in found for found in sold.values() for region in regions):
        raise OfferError(f"no file of {', '.join(regions)} is there")
    files = sum(region in found for found in sold.values() for region in regions)
    progress = Progress(files, sys.stderr)
    types = json.loads(TYPES.read_bytes())["types"]
    problems: list[str] = []
    chosen.into.mkdir(parents=True, exist_ok=True)
    for region in regions:
        extracts = []
        for offer in SERVICES:
            if region in sold[offer]:
                wish = Wish(offer=offer, region=region, version=sold[offer][region])
                found = extract(source, wish, chosen.work, progress)
                extracts.append(found)
                problems += found.problems
            else:
                problems.append(f"{offer} {region}: no file")
        if extracts:
            part = chosen.into / f"{region}.json.part"
            part.write_text(rendered(table(region, extracts, types)), encoding="utf-8")
            part.replace(chosen.into / f"{region}.json")
    return problems


if __name__ == "__main__":
    sys.exit(main())
