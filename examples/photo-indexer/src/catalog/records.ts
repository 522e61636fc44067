/** What the catalog takes and gives: plain data, without SQL. */

/** What was found out about a picture's content. */
export interface Described {
  readonly status: "described";
  /** As shown, after the EXIF orientation. */
  readonly width: number;
  readonly height: number;
  readonly format: string;
  /** EXIF date as written by the camera, in its own clock; undefined where it says none. */
  readonly takenAt: string | undefined;
  readonly camera: string | undefined;
  /** Path of the thumbnail, relative to the index folder, with `/` between folders. */
  readonly thumbnail: string;
  readonly vector: PackedVector;
}

/** Why a content cannot be shown. */
export interface Broken {
  readonly status: "broken";
  readonly code: string;
  readonly reason: string;
  /** Name and version of the program part that failed: another one is worth another try. */
  readonly decoder: string;
}

export type Description = Described | Broken;

/** A vector in a quarter of its size: value = byte × scale. */
export interface PackedVector {
  readonly scale: number;
  readonly bytes: Int8Array;
}

/** A file of this run and the content it holds. */
export interface FileRecord {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedNs: string;
  readonly contentId: number;
}

/** A content that the catalog knows, and what it says about it under the current recipe. */
export interface KnownContent {
  readonly contentId: number;
  /** `undescribed`: hashed before, but by a run that was stopped, or under another recipe. */
  readonly state: "described" | "undescribed" | "broken";
  /** Why it is broken, and by whose word. */
  readonly fault: Broken | undefined;
  readonly thumbnail: string | undefined;
}

/** A photo of the published run, as the contact sheet and `index.json` show it. */
export interface PublishedPhoto {
  readonly path: string;
  readonly contentId: number;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly width: number;
  readonly height: number;
  readonly format: string;
  readonly takenAt: string | undefined;
  readonly camera: string | undefined;
  readonly thumbnail: string;
}

/** A file that is no part of the index, and why. */
export interface BrokenFile {
  readonly path: string;
  readonly code: string;
  readonly reason: string;
  /** Known from an earlier run and not tried again. */
  readonly remembered: boolean;
}

/** A member of a group of near duplicates. The group's best picture comes first, with score 1. */
export interface GroupMember {
  readonly contentId: number;
  readonly score: number;
}
