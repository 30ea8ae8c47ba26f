"""What vector tiles are drawn from: the public records again, laid out by tile, and counts of them by tile. Made by `tallies`, only there;
all of it can be made again from the public record at any time."""

from __future__ import annotations

from django.db import models


class DrawnRecord(models.Model):
    """One public record with a position, where tiles look for it. `x` and `y` are its tile at zoom 14, `spot` its place in that tile
    (row × 4096 + column). Nothing here is finer than the record, and `case_id` leaves the house nowhere."""

    case_id = models.UUIDField(primary_key=True)
    number = models.CharField(max_length=20)
    x = models.IntegerField()
    y = models.IntegerField()
    spot = models.IntegerField()
    county_id = models.BigIntegerField(null=True)
    area_id = models.BigIntegerField(null=True)
    category_id = models.BigIntegerField(null=True)
    precision = models.CharField(max_length=8)
    stage = models.CharField(max_length=12)
    solved = models.BooleanField(null=True)
    dated = models.CharField(max_length=8)
    opened_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["x", "y", "-opened_at", "number"], name="drawn_by_tile"),
            models.Index(fields=["x", "y", "spot"], name="drawn_by_spot"),
            models.Index(fields=["category_id", "x", "y"], name="drawn_by_category"),
        ]


class TileTally(models.Model):
    """How many records lie in one place of one tile. At zoom 14 `spot` is the position itself, below it a sixteenth of the tile either
    way (row × 16 + column). `category` is the code of a first- or second-level category (`depth` 1 or 2; only 1 at zoom 14), or empty.
    `county_id` and `area_id` are 0 for none; `area_id` is told from zoom 11 on. `sum_x` and `sum_y` add up the records' positions
    in the tile (0–4095), so that their mean is known; `precision` is told at zoom 14. A row that counts nothing any more is taken away."""

    zoom = models.SmallIntegerField()
    x = models.IntegerField()
    y = models.IntegerField()
    depth = models.SmallIntegerField()
    spot = models.IntegerField()
    category = models.CharField(max_length=20)
    county_id = models.BigIntegerField()
    area_id = models.BigIntegerField()
    precision = models.CharField(max_length=8)
    received = models.IntegerField(default=0)
    with_unit = models.IntegerField(default=0)
    handed_over = models.IntegerField(default=0)
    answered = models.IntegerField(default=0)
    closed = models.IntegerField(default=0)
    declined = models.IntegerField(default=0)
    solved = models.IntegerField(default=0)
    sum_x = models.BigIntegerField(default=0)
    sum_y = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["zoom", "x", "y", "depth", "spot", "category", "county_id", "area_id", "precision"],
                                    name="tally_once"),
        ]
        indexes = [
            models.Index(fields=["id"], name="tally_of_nothing", condition=models.Q(
                received=0, with_unit=0, handed_over=0, answered=0, closed=0, declined=0)),
        ]


class TileStanding(models.Model):
    """Up to which revision of the public record the tiles were drawn, and how often they changed; one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    revision = models.BigIntegerField(default=0)
    version = models.BigIntegerField(default=0)
    at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="tile_standing_one", condition=models.Q(id=1))]
