"""The open data described for other catalogues: DCAT 3 (W3C Recommendation, 22 August 2024) as JSON-LD.

Every address is absolute, made from the one that was asked; the context stands in the document itself, so nothing is fetched to read it.
"""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from lianxin.places.models import City

from .files import File, Manifest

CONTEXT: Final = {
    "dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#", "spdx": "http://spdx.org/rdf/terms#", "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dct:issued": {"@type": "xsd:dateTime"}, "dct:modified": {"@type": "xsd:dateTime"},
    "dcat:startDate": {"@type": "xsd:date"}, "dcat:endDate": {"@type": "xsd:date"},
    "dcat:byteSize": {"@type": "xsd:nonNegativeInteger"}, "spdx:checksumValue": {"@type": "xsd:hexBinary"},
    **{name: {"@type": "@id"} for name in (
        "dct:license", "dct:language", "dct:accrualPeriodicity", "dct:conformsTo", "dcat:downloadURL", "dcat:accessURL", "dcat:mediaType",
        "dcat:landingPage", "dcat:endpointURL", "dcat:servesDataset", "foaf:homepage", "foaf:page", "vcard:hasEmail", "vcard:hasURL",
        "spdx:algorithm")},
}
_LANGUAGES: Final = ["http://publications.europa.eu/resource/authority/language/ZHO",
                     "http://publications.europa.eu/resource/authority/language/ENG"]
_DAILY: Final = "http://publications.europa.eu/resource/authority/frequency/DAILY"
_SHA256: Final = "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"
_MEDIA: Final = "https://www.iana.org/assignments/media-types/"

TITLES: Final = {
    "catalogue": _("12345 热线开放数据"), "records": _("12345 热线逐件公开记录"), "counts": _("12345 热线按月、县市区和大类的件数"),
}
MEANINGS: Final = {
    "catalogue": _("市民向热线反映的事：能公开的逐件公开，其余只计数。没有姓名、电话、住址，也没有未经审核的文字。"),
    "records": _("每件一行：分类、地区、时间、办到哪一步、是否按时、是否解决。至少五件看起来一样的才一起公开，地点和时间按规则放粗。"),
    "counts": _("每月各县市区、各大类登记的件数，包括不逐件公开的。少于五件的不写，能推算出它们的也不写。"),
}


def _both(words: Any) -> list[dict[str, str]]:
    made = []
    for code, language in (("zh-hans", "zh-Hans"), ("en", "en")):
        with override(code):
            made.append({"@language": language, "@value": str(words)})
    return made


def _publisher(base: str, city: City | None) -> dict[str, Any]:
    names: Any = "12345"
    if city is not None:
        names = [{"@language": "zh-Hans", "@value": f"{city.name}12345"}, {"@language": "en", "@value": f"{city.name_en} 12345"}]
    return {"@type": "foaf:Organization", "@id": f"{base}/#publisher", "foaf:name": names, "foaf:homepage": f"{base}/"}


def _contact(base: str) -> dict[str, Any]:
    said = settings.LIANXIN_OPEN_DATA_CONTACT
    made: dict[str, Any] = {"@type": "vcard:Organization", "vcard:fn": "12345"}
    if "@" in said and "://" not in said:
        return made | {"vcard:hasEmail": f"mailto:{said.removeprefix('mailto:')}"}
    return made | {"vcard:hasURL": said or f"{base}/about/"}


def _distribution(base: str, manifest: Manifest, file: File) -> dict[str, Any]:
    address = f"{base}/data/{file.name}"
    return {
        "@type": "dcat:Distribution", "@id": address, "dct:title": file.name, "dct:format": file.kind.upper(),
        "dcat:mediaType": _MEDIA + file.media_type, "dcat:accessURL": f"{base}/data/", "dcat:downloadURL": address,
        "dcat:byteSize": str(file.size), "dct:modified": manifest.at.isoformat(), "dct:license": settings.LIANXIN_OPEN_DATA_LICENCE,
        "spdx:checksum": {"@type": "spdx:Checksum", "spdx:algorithm": _SHA256, "spdx:checksumValue": file.sha256},
    }


def _dataset(base: str, manifest: Manifest, table: str, box: list[float] | None, city: City | None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "@type": "dcat:Dataset", "@id": f"{base}/data/#{table}", "dct:identifier": f"{base}/data/#{table}",
        "dct:title": _both(TITLES[table]), "dct:description": _both(MEANINGS[table]), "dct:publisher": _publisher(base, city),
        "dcat:contactPoint": _contact(base), "dct:language": _LANGUAGES, "dct:accrualPeriodicity": _DAILY,
        "dct:modified": manifest.at.isoformat(), "dct:license": settings.LIANXIN_OPEN_DATA_LICENCE,
        "dcat:version": str(manifest.revision), "dcat:landingPage": f"{base}/data/", "foaf:page": f"{base}/data/dictionary.json",
        "dcat:keyword": [*_both(_("政务服务便民热线")), *_both(_("公共服务诉求"))],
        "dcat:distribution": [_distribution(base, manifest, file) for file in manifest.files if file.table == table],
    }
    if manifest.first and table == "records":
        made["dct:temporal"] = {"@type": "dct:PeriodOfTime", "dcat:startDate": manifest.first, "dcat:endDate": manifest.last}
    if box:
        west, south, east, north = box
        ring = f"{west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south}"
        made["dct:spatial"] = {"@type": "dct:Location", "dcat:bbox": {
            "@type": "http://www.opengis.net/ont/geosparql#wktLiteral", "@value": f"POLYGON(({ring}))"}}
    return made


def catalogue(base: str, manifest: Manifest | None, *, box: list[float] | None = None) -> dict[str, Any]:
    """The catalogue of what is public now. `base` is this site's address without a slash at its end; `box` the city's bounds in
    WGS-84 degrees: west, south, east, north."""
    city = City.objects.first()
    made: dict[str, Any] = {
        "@context": CONTEXT, "@type": "dcat:Catalog", "@id": f"{base}/data/catalog.jsonld",
        "dct:title": _both(TITLES["catalogue"]), "dct:description": _both(MEANINGS["catalogue"]),
        "dct:publisher": _publisher(base, city), "dct:language": _LANGUAGES, "dct:license": settings.LIANXIN_OPEN_DATA_LICENCE,
        "dct:conformsTo": "https://www.w3.org/TR/vocab-dcat-3/", "foaf:homepage": f"{base}/data/", "dcat:dataset": [],
    }
    if manifest is not None:
        made["dct:modified"] = manifest.at.isoformat()
        made["dcat:dataset"] = [_dataset(base, manifest, table, box, city) for table in ("records", "counts")]
    return made
