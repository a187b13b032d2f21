"""Specs that must be refused, each by its field: by the models here, and by the API server in
tests/cluster.

Every cross-field rule has its counter-example in this list, and a test fails where one lacks it.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from external_data_operator.api.paths import PATH_MESSAGE
from external_data_operator.api.schema import LOOKBACK_MESSAGE
from external_data_operator.api.sources.rest_rules import OWN_HEADERS

Spec = dict[str, Any]

STREAM: Spec = {"name": "orders", "path": "/orders"}
SOURCE: Spec = {"rest": {"baseUrl": "https://api.shop.example", "streams": [STREAM]}}
SCHEMA: Spec = {"sourceRef": {"name": "shop"}, "stream": "orders"}


@dataclass(frozen=True)
class Refusal:
    """A spec that is wrong in one way."""

    id: str
    kind: str
    spec: Spec
    field: str
    """What both refusals name."""
    message: str = ""
    """The rule's words, where a rule refuses."""


def _source(id_: str, field: str, message: str = "", **changes: Any) -> Refusal:
    spec = deepcopy(SOURCE)
    for key, value in changes.items():
        _put(spec, key.split("__"), value)
    return Refusal(id_, "ExternalDataSource", spec, field, message)


def _rest(id_: str, field: str, message: str = "", **changes: Any) -> Refusal:
    return _source(id_, field, message, **{f"rest__{key}": value for key, value in changes.items()})


def _stream(id_: str, field: str, message: str = "", **changes: Any) -> Refusal:
    return _rest(id_, field, message, streams=[{**STREAM, **changes}])


def _schema(id_: str, field: str, message: str = "", **changes: Any) -> Refusal:
    return Refusal(id_, "ExternalDataSchema", {**SCHEMA, **changes}, field, message)


def _put(spec: Spec, path: list[str], value: Any) -> None:
    *above, last = path
    for key in above:
        spec = spec.setdefault(key, {})
    if value is None:
        del spec[last]
    else:
        spec[last] = value


def _token(**value: Any) -> Spec:
    return {"bearer": {"token": value}}


ONE_OF_TOKEN = "exactly one of secretKeyRef and value must be set"
ONE_OF_CA = "exactly one of configMapKeyRef and secretKeyRef must be set"
HOST = "baseUrl must have one host name or IP address"
PORT = "the port in baseUrl must be between 1 and 65535"
ASCII = "baseUrl must be ASCII without backslashes"
ABSOLUTE = "path must be relative to baseUrl, not an address"
PATH = PATH_MESSAGE
TWINS = (
    "names of streams must differ in more than case, dots, dashes and underscores, since names of "
    "tables have only lower case and underscores"
)
REF = {"name": "shop-api", "key": "token"}
MOVED_REF = {"name": "shop-credentials", "key": "rest.auth.bearer.token"}

REFUSALS: tuple[Refusal, ...] = (
    _source("no kind", "spec", "exactly one kind of source must be set: rest", rest=None),
    _source("a prefix that no table may have", "spec.tablePrefix", tablePrefix="Shop-"),
    _source("a destination without a kind", "spec.destination.s3", destination={}),
    _source(
        "an endpoint with credentials",
        "spec.destination.s3.endpoint",
        destination={"s3": {"bucket": "lake", "endpoint": "https://key:secret@s3.example"}},
    ),
    _rest("no baseUrl", "spec.rest.baseUrl", baseUrl=None),
    _rest(
        "credentials in baseUrl",
        "spec.rest.baseUrl",
        baseUrl="https://user:password@api.shop.example",
    ),
    _rest("a baseUrl that is no address", "spec.rest.baseUrl", baseUrl="api.shop.example"),
    _rest("no streams", "spec.rest.streams", streams=None),
    _rest("an empty list of streams", "spec.rest.streams", streams=[]),
    _rest("two streams of one name", "spec.rest.streams", streams=[STREAM, STREAM]),
    _rest(
        "51 streams",
        "spec.rest.streams",
        streams=[{"name": f"s{index}", "path": "/s"} for index in range(51)],
    ),
    _rest("a number in quotes", "spec.rest.concurrency", concurrency="4"),
    _rest(
        "a rate of nothing", "spec.rest.rate.requestsPerSecond", rate={"requestsPerSecond": 0}
    ),
    _rest("no way of authentication", "spec.rest.auth", auth={}),
    _rest("no credential", "spec.rest.auth.bearer.token", ONE_OF_TOKEN, auth=_token()),
    _rest(
        "two credentials",
        "spec.rest.auth.bearer.token",
        ONE_OF_TOKEN,
        auth=_token(secretKeyRef=REF, value="s3cr3t"),
    ),
    _rest("no certificate", "spec.rest.tls.ca", ONE_OF_CA, tls={"ca": {}}),
    _rest(
        "two certificates",
        "spec.rest.tls.ca",
        ONE_OF_CA,
        tls={"ca": {"secretKeyRef": REF, "configMapKeyRef": REF}},
    ),
    _rest(
        "a credential in the headers",
        "spec.rest.headers",
        "credentials belong in auth, not in headers",
        headers={"authorization": "Bearer s3cr3t"},
    ),
    _rest(
        "a header that ends another",
        "spec.rest.headers",
        "names of headers must be valid in HTTP",
        headers={"Accept\nX-Evil": "1"},
    ),
    _rest("a header with a line break", "spec.rest.headers.X-A", headers={"X-A": "a\nX-Evil: 1"}),
    _rest("a header beyond Latin-1", "spec.rest.headers.X-A", headers={"X-A": "zł"}),
    _rest("a header of 2,049 characters", "spec.rest.headers.X-A", headers={"X-A": "a" * 2049}),
    *(
        _rest(f"a header {value}", "spec.rest.headers.X-A", headers={"X-A": value})
        for value in (1.5, True)
    ),
    *(
        _rest(f"baseUrl {url}", "spec.rest.baseUrl", HOST, baseUrl=url)
        for url in ("https://a..b", "https://-a.example", "http://shop,example/x", "https://[12]/")
    ),
    *(
        _rest(f"baseUrl {url}", "spec.rest.baseUrl", PORT, baseUrl=url)
        for url in ("https://a.example:0", "http://a:65536/x", "https://[::1]:000", "http://a:x")
    ),
    _rest("a backslash", "spec.rest.baseUrl", ASCII, baseUrl="https://a.example/x\\y"),
    _rest("a path beyond ASCII", "spec.rest.baseUrl", ASCII, baseUrl="https://a.example/é"),
    _rest(
        "a header of the connection",
        "spec.rest.headers",
        f"the runner itself sets {', '.join(OWN_HEADERS)}",
        headers={"Host": "b.example"},
    ),
    *(
        _rest(
            f"streams {one} and {other}",
            "spec.rest.streams",
            TWINS,
            streams=[{"name": one, "path": "/1"}, {"name": other, "path": "/2"}],
        )
        for one, other in (
            ("Bills", "bills"), ("a.b", "a-b"), ("a_b", "A-B"), ("orderItems", "order_items"),
            ("HTTPErrors", "http_errors"), ("bills", "bills_"),
        )
    ),
    *(
        _stream(f"path {path}", "spec.rest.streams[0].path", ABSOLUTE, path=path)
        for path in ("https://b.example/x", "/http://b", "ftp://x")
    ),
    *(
        _stream(f"recordsPath {path}", "spec.rest.streams[0].recordsPath", PATH, recordsPath=path)
        for path in ("a..b", "data[0]", "$..x", "$.data[*].id", "a.", "['a", "['\\q']", "x[?(@.a)]")
    ),
    *(
        _stream(
            f"{kind} {name}",
            f"spec.rest.streams[0].pagination.{kind}.{name}",
            PATH,
            pagination={kind: {**fields, name: "links[0].href"}},
        )
        for kind, name, fields in (
            ("cursor", "cursorPath", {}),
            ("nextUrl", "nextUrlPath", {}),
            ("offset", "totalPath", {"limit": 10}),
        )
    ),
    _stream("a key from a list", "spec.rest.streams[0].primaryKey", PATH, primaryKey=["$.ids[0]"]),
    _stream(
        "a cursor from a list",
        "spec.rest.streams[0].incremental.cursorPath",
        PATH,
        incremental={"cursorPath": "$.at[-1]"},
    ),
    _stream(
        "one name for limit and offset",
        "spec.rest.streams[0].pagination.offset.offsetParam",
        "limitParam and offsetParam must differ",
        pagination={"offset": {"limit": 5, "offsetParam": "limit"}},
    ),
    _stream(
        "one name for both ends",
        "spec.rest.streams[0].incremental.endParam",
        "startParam and endParam must differ",
        incremental={
            "cursorPath": "at", "startParam": "t", "endParam": "t", "initialValue": "0",
            "windowSeconds": 60,
        },
    ),
    *(
        _stream(
            f"one name for {kind} and start",
            "spec.rest.streams[0].pagination",
            "pagination and incremental must use parameters of different names",
            pagination={kind: fields},
            incremental={"cursorPath": "at", "startParam": "p"},
        )
        for kind, fields in (
            ("cursor", {"cursorPath": "next", "cursorParam": "p"}),
            ("offset", {"limit": 5, "limitParam": "p"}),
            ("offset", {"limit": 5, "offsetParam": "p"}),
        )
    ),
    *(
        _stream(
            f"format {text}",
            "spec.rest.streams[0].incremental.format",
            "format must have only directives of strftime",
            incremental={"cursorPath": "at", "startParam": "s", "format": text},
        )
        for text in ("%Q", "%Y-%m-%", "%%%")
    ),
    *(
        _schema(f"{field} of a list", f"spec.{field}", PATH, **{field: value})
        for field, value in (
            ("incrementalField", "$.at[0]"),
            ("primaryKeyColumns", ["id", "$.ids[0]"]),
        )
    ),
    _stream("a method that writes", "spec.rest.streams[0].method", method="PUT"),
    _stream("a path with a query", "spec.rest.streams[0].path", path="/orders?since=1"),
    _stream(
        "a body of a GET", "spec.rest.streams[0].body", "body requires method POST", body={"q": 1}
    ),
    _stream("no paginator", "spec.rest.streams[0].pagination", pagination={}),
    _stream(
        "two paginators",
        "spec.rest.streams[0].pagination",
        pagination={"none": {}, "offset": {"limit": 10}},
    ),
    _stream(
        "a cursor paginator without its field",
        "spec.rest.streams[0].pagination.cursor.cursorPath",
        pagination={"cursor": {}},
    ),
    _stream(
        "an offset paginator without its field",
        "spec.rest.streams[0].pagination.offset.limit",
        pagination={"offset": {}},
    ),
    _stream(
        "a next-URL paginator without its field",
        "spec.rest.streams[0].pagination.nextUrl.nextUrlPath",
        pagination={"nextUrl": {}},
    ),
    _stream(
        "a window without an end",
        "spec.rest.streams[0].incremental.windowSeconds",
        "endParam and windowSeconds must be set together",
        incremental={
            "cursorPath": "at", "startParam": "s", "initialValue": "0", "windowSeconds": 60,
        },
    ),
    _stream(
        "a window without a beginning",
        "spec.rest.streams[0].incremental.windowSeconds",
        "windowSeconds requires startParam and initialValue",
        incremental={"cursorPath": "at", "endParam": "e", "windowSeconds": 60},
    ),
    _schema("no source", "spec.sourceRef.name", sourceRef={}),
    _schema(
        "cron and a frequency",
        "spec.cron",
        "cron cannot be combined with syncFrequency or syncTimeOfDay",
        cron="5 4 * * *",
        syncFrequency="6hour",
    ),
    _schema("a zone without cron", "spec.timeZone", "timeZone requires cron", timeZone="Etc/UTC"),
    _schema("six cron fields", "spec.cron", cron="0 5 4 * * *"),
    _schema("a time of day that is none", "spec.syncTimeOfDay", syncTimeOfDay="25:00"),
    _schema("a frequency that is none", "spec.syncFrequency", syncFrequency="2hour"),
    _schema(
        "a look-back of a number",
        "spec.lookbackSeconds",
        LOOKBACK_MESSAGE,
        incrementalField="seq",
        incrementalFieldType="Integer",
        lookbackSeconds=300,
    ),
    _schema("a look-back beyond sixty days", "spec.lookbackSeconds", lookbackSeconds=5184001),
)  # fmt: skip

UNKNOWN_FIELDS: tuple[Refusal, ...] = (
    _source("two kinds in one source", "spec.postgres", postgres={"host": "db.shop.example"}),
    _stream("a field with a typing error", "spec.rest.streams[0].recordPath", recordPath="data"),
    _schema("a field of another version", "spec.schedule", schedule="5 4 * * *"),
)
"""What the API server refuses as unknown, as kubectl asks it to."""

MODELS_ALONE: tuple[Refusal, ...] = (
    _stream(
        "a key with a wrong escape",
        "spec.rest.streams[0].primaryKey",
        PATH,
        primaryKey=["$['\\q']"],
    ),
    _schema(
        "key columns with a wrong escape",
        "spec.primaryKeyColumns",
        PATH,
        primaryKeyColumns=["$['\\q']"],
    ),
    _schema("a column to keep from a list", "spec.enabledColumns[0]", enabledColumns=["$.a[0]"]),
)
"""What the API server lets pass, and the models, and so `external-data validate` and the operator,
refuse: see ADR 6."""

ACCEPTED: tuple[Refusal, ...] = (
    _source("the least source", ""),
    _rest(
        "a value applied again beside the reference it was moved to",
        "",
        auth=_token(secretKeyRef=MOVED_REF, value="s3cr3t"),
    ),
    _rest("a header in capitals", "", headers={"ACCEPT": "application/json"}),
    _stream("a POST with a body", "", method="POST", body={"filter": {"any": [1, "x"]}}),
    _stream(
        "windows",
        "",
        incremental={
            "cursorPath": "at", "startParam": "s", "endParam": "e", "initialValue": "0",
            "windowSeconds": 60,
        },
    ),
    *(
        _rest(f"baseUrl {url}", "", baseUrl=url)
        for url in (
            "https://a.example:65535/x:y/", "http://a_b.svc:080", "https://[::1]:8443/v1",
            "https://10.1.2.3.", "https://A.example:", "http://[::ffff:10.0.0.1]",
        )
    ),
    _rest("headers of numbers and of Latin-1", "", headers={"X-A": 2, "X-B": "a\té"}),
    _rest(
        "streams whose names differ", "", streams=[STREAM, {"name": "orders2", "path": "/orders"}]
    ),
    *(_stream(f"path {path}", "", path=path) for path in ("/a:b/c", "x/http://y", "/", "/a/:b")),
    *(
        _stream(f"recordsPath {path}", "", recordsPath=path)
        for path in (
            "", "$", "$[*]", "@odata.nextLink", "$['a.b'].c", '["a.b"]', "a b.c[*]",
            "['\\u0041\\'']",
        )
    ),
    _stream("a key with a quote", "", primaryKey=["it's", "a[0]", "$['x.y']"]),
    _stream(
        "scalars as parameters",
        "",
        params={"active": True, "off": False, "page_size": 25, "ratio": 0.5, "q": "x"},
    ),
    _stream(
        "a format",
        "",
        incremental={"cursorPath": "at", "startParam": "s", "format": "%Y-%m-%dT%H:%M:%S.%fZ%%%-d"},
    ),
    _schema("a schema's paths", "", incrementalField="$.a['b']", enabledColumns=["x[0]", "$.y"]),
    _schema("the least schema", ""),
    _schema("cron with a zone", "", cron="5 4 * * MON", timeZone="Europe/Berlin"),
    _schema("nulls", "", cron=None, enabledColumns=None, syncType=None),
    _schema("no columns but keys and cursor", "", enabledColumns=[]),
)  # fmt: skip
"""Neighbours of the above that must pass."""
