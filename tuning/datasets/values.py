"""In: nothing. Out: what a page, a verb or an exporter reads of datasets, frozen. Knows nothing of SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tuning.values import Example, Kind


class Status(StrEnum):
    DRAFT = "draft"  # to be looked at
    APPROVED = "approved"  # goes into the next version
    DROPPED = "dropped"  # kept, but goes nowhere


@dataclass(frozen=True, slots=True)
class Dataset:
    id: int
    name: str
    note: str
    licence: str
    recipe: tuple[Mapping[str, Any], ...]  # what was added, with which filters, oldest first
    created_at: datetime  # UTC, as every time here
    updated_at: datetime
    draft: int = 0
    approved: int = 0
    dropped: int = 0
    versions: int = 0

    @property
    def examples(self) -> int:
        return self.draft + self.approved + self.dropped


@dataclass(frozen=True, slots=True)
class Stored:
    """An example as it lies in a draft. `findings`: rows of tuning.cleaning; None: not looked at since it changed."""

    id: int
    dataset: int
    status: Status
    example: Example
    fingerprint: str
    language: str
    characters: int
    tokens: int | None
    findings: tuple[Mapping[str, Any], ...] | None
    unranked: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    examples: tuple[Stored, ...]
    total: int  # that pass the filter
    offset: int


class Filter(BaseModel):
    """Which examples of a dataset; everything left out lets all pass."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Status | None = None
    kind: Kind | None = None
    origin: str = Field(default="", max_length=16)
    how: str = Field(default="", max_length=24)
    language: str = Field(default="", max_length=8)
    tag: str = Field(default="", max_length=60)
    finding: str = Field(default="", max_length=60)  # a code; "any": with findings; "none": without; "unseen"
    search: str = Field(default="", max_length=200)  # each word stands in one of its texts
    unranked: bool | None = None
    batch: int | None = None  # the import it came with
    shortest: int | None = Field(default=None, ge=0)  # characters
    longest: int | None = Field(default=None, ge=0)


EVERYTHING = Filter()


@dataclass(frozen=True, slots=True)
class Added:
    """What became of examples that were handed in."""

    added: int
    known: int  # the dataset had them already
    ids: tuple[int, ...] = ()  # of the first ones, at most a thousand


@dataclass(frozen=True, slots=True)
class Import:
    id: int
    dataset: int
    name: str
    format: str
    status: Literal["running", "done", "undone", "failed"]
    read: int
    known: int
    skipped: int
    problems: tuple[Mapping[str, Any], ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """A dataset frozen: the same approved examples with the same split have the same fingerprint, for ever."""

    id: int
    dataset: int
    name: str
    number: int
    fingerprint: str  # SHA-256, 64 hex digits
    card: Mapping[str, Any]
    created_at: datetime
    deleted_chats: int = 0  # examples in it whose chat has been deleted since

    @property
    def label(self) -> str:
        """ "marv-v2-3f9a1c2b": what a file or a lineage calls it."""
        return f"{self.name}-v{self.number}-{self.fingerprint[:8]}"


@dataclass(frozen=True, slots=True)
class VersionRow:
    position: int
    split: str  # "train" | "validation"
    fingerprint: str
    example: Example


@dataclass(frozen=True, slots=True)
class Difference:
    """From one version to another, by fingerprint. `changed`: the same source, other words: (before, after)."""

    added: tuple[VersionRow, ...]
    removed: tuple[VersionRow, ...]
    changed: tuple[tuple[VersionRow, VersionRow], ...]
    moved: tuple[tuple[VersionRow, VersionRow], ...]  # to the other split
    same: int


@dataclass(frozen=True, slots=True)
class Facets:
    """What a filter of a dataset can choose from: value → examples that have it, the most frequent first."""

    status: Mapping[str, int]
    kind: Mapping[str, int]
    origin: Mapping[str, int]
    how: Mapping[str, int]
    language: Mapping[str, int]
    tags: Mapping[str, int]
    findings: Mapping[str, int]
    undecided: Mapping[str, int]  # finding → drafts that have it
    unseen: int  # not looked at since they changed, drafts and approved ones
    unranked: int  # rankings that wait for a person
    held: int  # drafts that an approval of many leaves: unranked, or with a finding that excludes


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of the examples that pass a filter. Histograms: (upper bound, how many), the last one open."""

    total: int
    status: Mapping[str, int]
    kind: Mapping[str, int]
    origin: Mapping[str, int]
    how: Mapping[str, int]
    language: Mapping[str, int]
    tags: Mapping[str, int]
    findings: Mapping[str, int]  # code → examples that have it
    roles: Mapping[str, int]  # role → turns
    characters: tuple[tuple[int, int], ...]
    tokens: tuple[tuple[int, int], ...]  # of those counted
    turns: tuple[tuple[int, int], ...]
    all_characters: int
    all_tokens: int | None  # None: not all are counted
    unreviewed: int
    duplicates: int  # examples whose content another one of the dataset has too
    longest: int = 0  # characters
    more: Mapping[str, Any] = field(default_factory=dict, hash=False)
