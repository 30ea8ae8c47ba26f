"""Photos as a telephone makes them, with and without a place inside."""

from __future__ import annotations

import io

from PIL import ExifTags, Image


def photo(*, lon: float | None = None, lat: float | None = None, taken: str = "", shade: int = 120,
          form: str = "JPEG") -> bytes:
    """A small picture; with `lon`/`lat` (degrees east and north) and `taken` in its EXIF."""
    image = Image.new("RGB", (64, 48), (shade, 80, 60))
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "SecretPhone 9"
    if taken:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    if lon is not None and lat is not None:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLongitudeRef] = "N", "E"
        gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSLongitude] = (lat, 0.0, 0.0), (lon, 0.0, 0.0)
    out = io.BytesIO()
    image.save(out, form, exif=exif)
    return out.getvalue()
