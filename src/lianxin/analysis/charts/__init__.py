"""Charts as SVG text, from plain values: nothing here reads a database or a setting.

Every chart carries its colours as presentation attributes, as they stand on paper, and a class beside each, so that a page's
stylesheet may set the same colours from its own tokens, light or dark. No style element, no style attribute, no script: a
strict content security policy lets them through. Each is 360 units wide, so that on a telephone a unit is a pixel.
"""

from .bars import Bar, bars
from .columns import Column, columns
from .county_map import Region, county_map
from .intervals import Interval, intervals
from .svg import WIDTH, Caption
from .trend import Point, trend

__all__ = ["WIDTH", "Bar", "Caption", "Column", "Interval", "Point", "Region", "bars", "columns", "county_map", "intervals", "trend"]
